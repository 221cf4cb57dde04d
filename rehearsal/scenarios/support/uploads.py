"""Uploading samples and following them to their records, as any client of the platform would."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from rehearsal.samples.catalogue import Sample
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.waiting import NotInTime, until


@dataclass
class Upload:
    """One uploaded version and, once it is there, its record. `started` is in epoch seconds,
    `shown` the copy that people see."""

    sample: Sample
    key: str
    version: str
    started: float
    record: Mapping[str, Any] | None = None
    shown: bytes | None = None

    @property
    def decision(self) -> str:
        """The decision in the record."""
        return self._known["decision"]

    @property
    def milliseconds(self) -> float:
        """From the start of the upload to the decision."""
        decided = datetime.fromisoformat(self._known["analysed_at"].replace("Z", "+00:00"))
        return max(0.0, (decided.timestamp() - self.started) * 1000)

    @property
    def _known(self) -> Mapping[str, Any]:
        if self.record is None:
            raise LookupError(f"{self.key} has no record yet")
        return self.record


class ImagesBucket:
    """The images bucket, the results table and the function's settings.

    Args:
        context: the scenario's context.
        function: the output with the name of the function that looks at the objects.
    """

    def __init__(self, context: Context, function: str = "ImageFunctionName") -> None:
        self.context = context
        self._function = context.outputs[function]
        self.name = context.outputs["ImagesBucketName"]
        self.s3 = context.client("s3")
        table = context.outputs["ResultsTableName"]
        self._table: Any = context.aws.session().resource("dynamodb").Table(table)

    def upload(self, sample: Sample, key: str, tags: Mapping[str, str] | None = None) -> Upload:
        """Put a sample under a key and return the version that this made."""
        started = time.time()
        answer = self.s3.put_object(
            Bucket=self.name,
            Key=key,
            Body=sample.content,
            ContentType=sample.media_type,
            Tagging=urlencode(tags or {}),
        )
        return Upload(sample, key, answer["VersionId"], started)

    def tags(self, upload: Upload) -> dict[str, str]:
        """Return the tags of a version."""
        answer = self.s3.get_object_tagging(
            Bucket=self.name, Key=upload.key, VersionId=upload.version
        )
        return {tag["Key"]: tag["Value"] for tag in answer["TagSet"]}

    def wait_for_records(self, uploads: Sequence[Upload], seconds: float = 90) -> None:
        """Fill in the records of uploads as soon as each is decided and announced.

        Raises:
            NotInTime: naming the keys that have no decision yet.
        """

        def all_done() -> bool:
            for each in uploads:
                each.record = each.record or self._finished(each)
            done = sum(each.record is not None for each in uploads)
            self.context.say(f"waiting for decisions: {done} of {len(uploads)}")
            return done == len(uploads)

        try:
            until(all_done, "every decision", seconds)
        except NotInTime as error:
            late = ", ".join(each.key for each in uploads if each.record is None)
            raise NotInTime(
                f"no decision within {seconds:g} s for {late}. {self.last_error()}"
            ) from error

    def item(self, key: str, sort_key: str) -> Mapping[str, Any] | None:
        """Return an item of an object: `current`, or `version#` and a version id."""
        place = {"pk": f"s3://{self.name}/{key}", "sk": sort_key}
        return self._table.get_item(Key=place, ConsistentRead=True).get("Item")

    def blurred_copy(self, upload: Upload) -> bytes | None:
        """Return the copy with blurred faces that an upload's record points to, if there is one."""
        record = self.item(upload.key, f"version#{upload.version}") or {}
        copy = record.get("blurred_copy")
        if copy is None:
            return None
        return self.s3.get_object(Bucket=copy["bucket"], Key=copy["key"])["Body"].read()

    def settings(self) -> Mapping[str, Any]:
        """Return the SETTINGS that the deployed function has.

        Raises:
            LookupError: they are too large for a variable and lie beside the function's code.
        """
        name = self._function
        function = self.context.client("lambda").get_function_configuration(FunctionName=name)
        variables = function["Environment"]["Variables"]
        if "SETTINGS" not in variables:
            raise LookupError(
                "the scenario reads settings of at most 3,000 bytes; name fewer labels"
            )
        return json.loads(variables["SETTINGS"])

    def queue_is_empty(self) -> bool:
        """Whether no message waits in the image queue or is being handled."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.context.client("sqs").get_queue_attributes(
            QueueUrl=self.context.outputs["ImageQueueUrl"], AttributeNames=names
        )
        return not any(int(answer["Attributes"][name]) for name in names)

    def log_lines(self, since: float) -> list[str]:
        """Return what the function has logged since a time in epoch seconds, oldest first."""
        logs = self.context.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._log_group(), startTime=int(since * 1000)
        )
        return [event["message"].strip() for page in pages for event in page["events"]]

    def last_error(self) -> str:
        """Return the function's newest error line in CloudWatch Logs, in a sentence."""
        logs = self.context.client("logs")
        group = self._log_group()
        try:
            found = logs.filter_log_events(logGroupName=group, filterPattern="ERROR")["events"]
        except logs.exceptions.ClientError as error:
            return f"The function's log cannot be read: {error}"
        lines = [event["message"].strip() for event in found if "ERROR" in event["message"]]
        return (
            f"The function's last error: {lines[-1]}" if lines else "The function logged no error."
        )

    def _log_group(self) -> str:
        name = self._function
        function = self.context.client("lambda").get_function_configuration(FunctionName=name)
        return function.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{name}"

    def _finished(self, upload: Upload) -> Mapping[str, Any] | None:
        record = self.item(upload.key, f"version#{upload.version}")
        return record if record and record.get("announced") else None

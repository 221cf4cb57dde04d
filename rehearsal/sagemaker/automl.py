"""AutoML jobs of the second version, by script: what a job answers, a test says beforehand.

There is no open implementation of SageMaker Autopilot, so nothing is searched and nothing trained
here. Real are: IAM, iam:PassRole, the job specification, the role's reading of the data and its
writing of the output, names and statuses. A job that nobody has scripted is refused.

    aws.sagemaker.script_automl("churn-", [{"AutoMLJobStatus": "InProgress", …}, {…"Completed", …}])
"""

import threading
from collections.abc import Mapping
from typing import Any, cast

from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.service import Action, Registry
from rehearsal.sagemaker.tables import Fields, Resource, Table
from rehearsal.service_model import service_model
from rehearsal.shapes import problems

KIND = "automl-job"
DESCRIBE = "DescribeAutoMLJobV2"
SCRIPT = "script"
# What the engine answers itself; a script says the rest.
OWN = ("AutoMLJobName", "AutoMLJobArn", "CreationTime", "LastModifiedTime", "RoleArn")


def operations(context: Context) -> Registry:
    """Create, describe, stop and list."""
    jobs = _Jobs(context)
    return {
        "CreateAutoMLJobV2": jobs.create,
        DESCRIBE: jobs.describe,
        "StopAutoMLJob": jobs.stop,
        "ListAutoMLJobs": jobs.listed,
    }


def actions(context: Context) -> dict[str, Action]:
    """For the control API: `script_automl`, and `forget_automl` to take every script back."""
    scripts = context.one(Scripts)
    return {"script_automl": scripts.give, "forget_automl": lambda body: scripts.clear()}


class Scripts:
    """What AutoML jobs answer, by the beginning of their names; forgotten at a reset."""

    def __init__(self, context: Context) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, list[Fields]] = {}
        context.at_reset(self.clear)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._answers.clear()

    def give(self, body: dict[str, Any]) -> None:
        """Script the jobs whose names begin so: {"prefix", "answers": […]}.

        Each DescribeAutoMLJobV2 gives the next answer, and the last one for ever.
        """
        prefix, answers = str(body["prefix"]), body["answers"]
        if not isinstance(answers, list) or not answers:
            raise ValueError("answers is a list of one answer or more")
        checked = [_checked(each, number) for number, each in enumerate(cast("list[Any]", answers))]
        with self._lock:
            self._answers[prefix] = checked

    def find(self, name: str) -> list[Fields]:
        """The answers of a job; ServiceError, in plain words, if there are none."""
        with self._lock:
            fitting = [prefix for prefix in self._answers if name.startswith(prefix)]
            if fitting:
                return list(self._answers[max(fitting, key=len)])
        raise ServiceError(
            "UnscriptedAutoMLJobException",
            f"nobody has scripted what the AutoML job {name} answers: the rehearsal searches for "
            "no model and never invents one. Give its answers by "
            "aws.sagemaker.script_automl(prefix, [...])",
        )


def _checked(answer: Any, number: int) -> Fields:
    """An answer that fits DescribeAutoMLJobV2's output. Raises ValueError with all problems."""
    where = f"answers[{number}]"
    if not isinstance(answer, dict):
        raise ValueError(f"{where}: wanted an object, given {answer!r:.80}")
    given = cast("Fields", answer)
    model = service_model("sagemaker")
    shape = dict(model.output(DESCRIBE) or {})
    # The engine and the job's specification give the other members.
    shape["required"] = ["AutoMLJobStatus", "AutoMLJobSecondaryStatus"]
    found = [f"{where}.{problem}" for problem in problems(model, shape, given)]
    found += [f"{where}.{name}: the engine gives it" for name in OWN if name in given]
    if found:
        raise ValueError("; ".join(found))
    return given


class _Jobs:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._scripts = context.one(Scripts)
        self._table: Table = context.tables.table(KIND)

    def create(self, call: Call) -> Fields:
        given = call.parameters
        name, role = str(given["AutoMLJobName"]), str(given["RoleArn"])
        arn = self._context.arn(KIND, name)
        if len(given["AutoMLProblemTypeConfig"]) != 1:
            raise ServiceError(
                "ValidationException", "AutoMLProblemTypeConfig must have exactly one member."
            )
        self._context.check_role(call, role, arn)
        answers = self._scripts.find(name)
        specification = {
            key: value for key, value in given.items() if key not in ("Tags", "AutoMLJobName")
        }
        resource = self._table.add(name, arn, specification, given.get("Tags"))
        refused = self._refusal(given, role)
        resource.internal[SCRIPT] = [_failed(refused)] if refused else answers
        return {"AutoMLJobArn": arn}

    def _refusal(self, given: Mapping[str, Any], role: str) -> str | None:
        """Why the job cannot read its data or write its output as its role."""
        for channel in given["AutoMLJobInputDataConfig"]:
            url = str(channel["DataSource"]["S3DataSource"]["S3Uri"])
            bucket, _, prefix = url.removeprefix("s3://").partition("/")
            s3 = self._context.client("s3", role)
            try:
                found = s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)
                if not found.get("Contents"):
                    return f"No S3 objects found under S3 URL {url!r}"
                s3.get_object(Bucket=bucket, Key=found["Contents"][0]["Key"])["Body"].close()
            except ClientError as error:
                return f"Could not read {url}: {error}"
        url = str(given["OutputDataConfig"]["S3OutputPath"])
        place = url.removeprefix("s3://").rstrip("/")
        if not self._context.role_may(role, "s3:PutObject", f"arn:aws:s3:::{place}/x"):
            return f"Could not write to {url}: {role} may not s3:PutObject"
        return None

    def describe(self, call: Call) -> Fields:
        resource = self._table.require(call.parameters["AutoMLJobName"])
        with self._context.tables.lock:
            answers: list[Fields] = resource.internal[SCRIPT]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            resource.fields["AutoMLJobStatus"] = answer["AutoMLJobStatus"]
            return {
                **resource.fields,
                **answer,
                "AutoMLJobName": resource.name,
                "AutoMLJobArn": resource.arn,
                "CreationTime": resource.created,
                "LastModifiedTime": resource.modified,
            }

    def stop(self, call: Call) -> Fields:
        resource = self._table.require(call.parameters["AutoMLJobName"])
        stopping, stopped = (
            {"AutoMLJobStatus": state, "AutoMLJobSecondaryStatus": state}
            for state in ("Stopping", "Stopped")
        )
        with self._context.tables.lock:
            resource.internal[SCRIPT] = [stopping, stopped]
        return {}

    def listed(self, call: Call) -> Fields:
        def summary(resource: Resource) -> Fields:
            last: Fields = resource.internal[SCRIPT][0]
            return {
                "AutoMLJobName": resource.name,
                "AutoMLJobArn": resource.arn,
                "AutoMLJobStatus": resource.fields.get("AutoMLJobStatus", "InProgress"),
                "AutoMLJobSecondaryStatus": last["AutoMLJobSecondaryStatus"],
                "CreationTime": resource.created,
                "LastModifiedTime": resource.modified,
            }

        jobs = self._table.all()
        return page(jobs, call.parameters, "AutoMLJobSummaries", summary, status="AutoMLJobStatus")


def _failed(reason: str) -> Fields:
    return {
        "AutoMLJobStatus": "Failed",
        "AutoMLJobSecondaryStatus": "Failed",
        "FailureReason": reason[:1024],
    }

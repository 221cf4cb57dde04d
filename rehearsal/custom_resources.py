# pyright: reportMissingTypeStubs=false
"""CDK's custom resources, done in Python: their own handlers are Node code that needs an SDK that
is not here.

Both act with the account's own permissions, not with their provider's role.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

import boto3
import botocore

from rehearsal.environment import ACCESS_KEY, SECRET_KEY

Result = tuple[str, Mapping[str, Any]]
# Where the JavaScript SDK's name of a service is not botocore's.
NAMES = {
    "cloudwatchlogs": "logs",
    "cloudwatch-logs": "logs",
    "eventbridge": "events",
    "sfn": "stepfunctions",
}
AUTO_DELETE_TAG = "aws-cdk:auto-delete-objects"


class AutoDeleteObjects:
    """Custom::S3AutoDeleteObjects: empties a bucket before its stack deletes it.

    Like CDK's own, it leaves a bucket alone that no longer carries the tag
    `aws-cdk:auto-delete-objects` = `true`.

    Args:
        tags_of: the tags of a bucket, or None if it is gone.
        empty: deletes every version of every object in a bucket.
    """

    def __init__(
        self,
        tags_of: Callable[[str], dict[str, str] | None],
        empty: Callable[[str], int],
    ) -> None:
        self._tags_of = tags_of
        self._empty = empty

    def create(self, logical_id: str, props: dict[str, Any], stack: str) -> Result:
        """Nothing to do yet: the bucket's name is what is remembered."""
        return str(props["BucketName"]), {}

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> Result:
        """A bucket that is being replaced is emptied."""
        if old.get("BucketName") != new.get("BucketName"):
            self.delete(physical_id, old)
        return str(new["BucketName"]), {}

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        """Empty the bucket if it still asks for it."""
        bucket = str(props.get("BucketName") or physical_id)
        tags = self._tags_of(bucket)
        if tags is not None and tags.get(AUTO_DELETE_TAG) == "true":
            self._empty(bucket)


class SdkCall:
    """Custom::AWS (AwsCustomResource): one AWS call on create, update or delete.

    Args:
        endpoint: where the embedded AWS listens.
        region: the Region to call.
    """

    def __init__(self, endpoint: str, region: str) -> None:
        self._endpoint = endpoint
        self._region = region

    def create(self, logical_id: str, props: dict[str, Any], stack: str) -> Result:
        """Do the Create call, or the Update call if there is no Create."""
        call = props.get("Create") or props.get("Update")
        return self._do(call, f"{stack}-{logical_id}")

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> Result:
        """Do the Update call, if there is one."""
        return self._do(new.get("Update"), physical_id)

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        """Do the Delete call, if there is one."""
        self._do(props.get("Delete"), physical_id)

    def _do(self, text: str | None, physical_id: str) -> Result:
        if not text:
            return physical_id, {}
        call = cast("dict[str, Any]", json.loads(text))
        try:
            flat = flatten(self._call(call))
        except Exception as error:
            pattern = call.get("ignoreErrorCodesMatching")
            code = getattr(error, "response", {}).get("Error", {}).get("Code", "")
            if not pattern or pattern not in code:
                raise
            flat = {}
        wanted = cast("dict[str, str]", call.get("physicalResourceId") or {})
        physical_id = wanted.get("id") or str(flat.get(wanted.get("responsePath", ""), physical_id))
        paths = cast("list[str] | None", call.get("outputPaths"))
        if paths is not None:
            flat = {k: v for k, v in flat.items() if any(k.startswith(p) for p in paths)}
        return physical_id, flat

    def _call(self, call: dict[str, Any]) -> dict[str, Any]:
        name = str(call["service"]).removeprefix("@aws-sdk/client-").lower()
        session: Any = boto3.Session()
        client = session.client(
            NAMES.get(name, name),
            region_name=call.get("region") or self._region,
            endpoint_url=self._endpoint,
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
        )
        action = str(call["action"]).removesuffix("Command")
        snake: Any = vars(botocore)["xform_name"]
        method = getattr(client, snake(action[0].upper() + action[1:]))
        parameters = cast("dict[str, Any]", call.get("parameters") or {})
        return cast("dict[str, Any]", method(**parameters))


def flatten(value: Any, prefix: str = "") -> dict[str, Any]:
    """A response as dotted paths, which GetAtt of a Custom::AWS reads."""
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value).items()
    elif isinstance(value, list):
        items = [(str(i), item) for i, item in enumerate(cast("list[Any]", value))]
    else:
        return {prefix: value}
    flat: dict[str, Any] = {}
    for key, item in items:
        if key != "ResponseMetadata":
            flat.update(flatten(item, f"{prefix}.{key}" if prefix else key))
    return flat

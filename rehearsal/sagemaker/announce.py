"""State-change events of jobs, with the detail that SageMaker puts into them.

("Events Amazon SageMaker sends to Amazon EventBridge", Amazon SageMaker Developer Guide: the
detail is what Describe answers, with times in milliseconds and tags as an object.)
"""

from collections.abc import Mapping
from typing import Any, cast

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.tables import Resource


def announce(
    context: Context, detail_type: str, resource: Resource, names: Mapping[str, str]
) -> None:
    """Put the event of a job's present state.

    Args:
        context: SageMaker's.
        detail_type: for example `SageMaker Training Job State Change`.
        resource: a view of the job.
        names: the members that Describe adds to the fields: name and ARN.
    """
    detail = {
        **names,
        **resource.fields,
        "CreationTime": resource.created,
        "LastModifiedTime": resource.modified,
    }
    whole = {**_milliseconds(detail), "Tags": dict(resource.tags)}
    context.emit(detail_type, whole, [resource.arn])


def _milliseconds(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {key: _milliseconds(item, key) for key, item in members.items()}
    if isinstance(value, list):
        return [_milliseconds(item, name) for item in cast("list[Any]", value)]
    if name.endswith(("Time", "Timestamp")) and isinstance(value, float):
        return int(value * 1000)
    return value

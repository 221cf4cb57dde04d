"""List operations: filters, order and pages, the same for every kind of resource."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rehearsal.aws_json import ServiceError
from rehearsal.sagemaker.tables import Fields, Resource

DEFAULT_PAGE = 10
# What SortBy may be, and by what that sorts; `Status` is the field named by the caller.
TIMES = {
    "CreationTimeAfter": ("created", False),
    "CreationTimeBefore": ("created", True),
    "CreatedAfter": ("created", False),
    "CreatedBefore": ("created", True),
    "LastModifiedTimeAfter": ("modified", False),
    "LastModifiedTimeBefore": ("modified", True),
}


def page(
    resources: Iterable[Resource],
    parameters: Mapping[str, Any],
    result: str,
    summary: Callable[[Resource], Fields],
    *,
    status: str = "Status",
    order: str = "Ascending",
    size: int = DEFAULT_PAGE,
) -> Fields:
    """Answer a List operation.

    Understands NameContains, StatusEquals, CreationTime*/Created*/LastModifiedTime* with After and
    Before, SortBy (Name, Status, LastModifiedTime, else the time of creation), SortOrder,
    MaxResults and NextToken.

    Args:
        resources: all of them, oldest first (`table.all()`).
        parameters: of the request.
        result: the member that holds the list, for example TrainingJobSummaries.
        summary: one line of the list.
        status: the field that StatusEquals and SortBy=Status look at.
        order: the operation's own default SortOrder.
        size: the operation's own default MaxResults.
    """
    found = [each for each in resources if _wanted(each, parameters, status)]
    found.sort(key=_key(str(parameters.get("SortBy", "")), status))
    if parameters.get("SortOrder", order) == "Descending":
        found.reverse()
    start = _start(parameters.get("NextToken"))
    end = start + int(parameters.get("MaxResults") or size)
    answer: Fields = {result: [summary(each) for each in found[start:end]]}
    if end < len(found):
        answer["NextToken"] = base64.urlsafe_b64encode(str(end).encode()).decode()
    return answer


def _wanted(resource: Resource, parameters: Mapping[str, Any], status: str) -> bool:
    part = parameters.get("NameContains")
    if part and str(part).lower() not in resource.name.lower():
        return False
    wanted = parameters.get("StatusEquals")
    if wanted and resource.fields.get(status) != wanted:
        return False
    for name, (attribute, before) in TIMES.items():
        limit = parameters.get(name)
        if limit is None:
            continue
        time = float(getattr(resource, attribute))
        if (time > float(limit)) if before else (time < float(limit)):
            return False
    return True


def _key(sort_by: str, status: str) -> Callable[[Resource], Any]:
    if sort_by == "Name":
        return lambda each: each.name
    if sort_by == "Status":
        return lambda each: str(each.fields.get(status))
    if sort_by == "LastModifiedTime":
        return lambda each: each.modified
    return lambda each: each.created


def _start(token: Any) -> int:
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(str(token)))
    except (ValueError, binascii.Error) as error:
        raise ServiceError("ValidationException", "Invalid NextToken.") from error

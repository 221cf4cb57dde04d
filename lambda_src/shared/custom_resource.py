"""Custom resources of CloudFormation: requests in, one answer out, whatever happens.

After "Custom resource request and response reference" in the AWS CloudFormation user guide: the
answer is put to the request's ResponseURL, and CloudFormation waits an hour for it. So every
failure is answered too, with its reason.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

ANSWER_SECONDS = 10
# CloudFormation takes answers of 4,096 bytes.
REASON_LENGTH = 1000

Send = Callable[[str, bytes], None]


@dataclass(frozen=True)
class Request:
    """What CloudFormation asks for.

    kind: Create, Update or Delete. physical_id: empty at Create. properties, old_properties: of
    the resource; numbers and booleans arrive as text, old ones at Update only.
    """

    kind: str
    request_id: str
    stack_id: str
    logical_id: str
    physical_id: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict[str, Any])
    old_properties: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @staticmethod
    def of(event: Mapping[str, Any]) -> "Request":
        """Read an event of CloudFormation's."""
        return Request(
            kind=event["RequestType"],
            request_id=event["RequestId"],
            stack_id=event["StackId"],
            logical_id=event["LogicalResourceId"],
            physical_id=event.get("PhysicalResourceId") or "",
            properties=event.get("ResourceProperties") or {},
            old_properties=event.get("OldResourceProperties") or {},
        )


def answer(
    event: Mapping[str, Any], carry_out: Callable[[Request], str], send: Send | None = None
) -> None:
    """Carry out a request and tell CloudFormation how it went.

    carry_out: returns the physical id; an exception is told as the reason of a failure.
    """
    request = Request.of(event)
    try:
        status, reason, physical_id = "SUCCESS", "", carry_out(request)
    except Exception as error:
        # A request that failed keeps its id, so that CloudFormation deletes nothing by mistake.
        reason = f"{type(error).__name__}: {error}"[:REASON_LENGTH]
        status, physical_id = "FAILED", request.physical_id or f"failed-{request.request_id}"
        print(json.dumps({"level": "ERROR", "message": reason, "request": request.kind}))
    body = {
        "Status": status,
        "Reason": reason,
        "PhysicalResourceId": physical_id,
        "StackId": request.stack_id,
        "RequestId": request.request_id,
        "LogicalResourceId": request.logical_id,
    }
    (send or _put)(str(event["ResponseURL"]), json.dumps(body).encode())


def _put(url: str, body: bytes) -> None:
    # The address is signed for an empty content type.
    request = HttpRequest(url, data=body, method="PUT", headers={"Content-Type": ""})
    with urlopen(request, timeout=ANSWER_SECONDS):
        pass

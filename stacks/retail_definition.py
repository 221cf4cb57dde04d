"""The state machine that turns one shelf reading into an order, as plain data.

    Gather ─► Forecast ─► Order ─► Announce
       ▲          │          │
       └── Wait ◄─┘          └─ another reading was recorded meanwhile: Gather again

``docs/retail.md`` tells it in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sagelens.release_states import (
    ANY_ERROR,
    State,
    States,
    choice,
    equals,
    note,
    on,
    sdk,
    task,
    wait,
)

SOURCE = "sagelens.retail"
STATE = "$.done.step.state"
# What no second try mends; the function raises them by these names.
FINAL = ("NotOfContract", "BadAnswer", "TooMany", "ShelfMoved")

# Many readings at once are more than an account may run at once, ten functions in the smallest:
# each waits for its turn, for more than an hour if need be ("Lambda quotas").
THROTTLED: State = {
    "ErrorEquals": ["Lambda.TooManyRequestsException"],
    "IntervalSeconds": 2,
    "BackoffRate": 1.5,
    "MaxDelaySeconds": 60,
    "MaxAttempts": 100,
    "JitterStrategy": "FULL",
}


@dataclass(frozen=True, kw_only=True)
class OrderingPlaces:
    """What the state machine works with.

    Args:
        partition: The partition that it runs in.
        function: ARN of the function that gathers and orders.
        endpoint: Name of the replenishment endpoint.
        bus: Name of the event bus.
        wait_seconds: How long until the endpoint is asked again.
        timeout_seconds: After so long an execution is given up.
    """

    partition: str
    function: str
    endpoint: str
    bus: str
    wait_seconds: int
    timeout_seconds: int


def ordering_definition(places: OrderingPlaces) -> dict[str, Any]:
    """The whole state machine; its input is a ``Shelf Counted`` event."""
    return {
        "Comment": f"From a counted shelf to an order, by {places.endpoint}",
        "StartAt": "Gather",
        "TimeoutSeconds": places.timeout_seconds,
        "States": {**_asking(places), **_waiting(places), **_ordering(places)},
    }


def _asking(places: OrderingPlaces) -> States:
    gather = {"detail.$": "$.detail", "execution.$": "$$.Execution.Name"}
    return {
        "Gather": _step(places, "gather", gather, then="WhatStands"),
        "WhatStands": choice(
            (equals(STATE, "ask"), "Forecast"),
            (equals(STATE, "nothing_to_ask"), "NoForecast"),
            (equals(STATE, "repeated"), "Announce"),
            otherwise="Done",
        ),
        "NoForecast": note("$.answer", {"body": "null"}, then="Order"),
        "Forecast": task(
            sdk("sagemakerruntime", "invokeEndpoint", places.partition),
            {
                "EndpointName": places.endpoint,
                "ContentType": "application/json",
                "Accept": "application/json",
                "Body.$": "$.done.step.body",
            },
            keep="$.answer",
            select={"body.$": "$.Body"},
            catch=[on(ANY_ERROR, "IsItTold")],
            then="Order",
        ),
    }


def _waiting(places: OrderingPlaces) -> States:
    """The endpoint does not answer, or is not there before its first release: told once."""
    detail = {
        "schema": "1",
        "id.$": "$$.Execution.Name",
        "store.$": "$.detail.store",
        "aisle.$": "$.detail.aisle",
        "reading.$": "$.detail.reading",
        "endpoint": places.endpoint,
        "error.$": "$.error.Error",
    }
    told = {"Variable": "$.told", "IsPresent": True}
    return {
        "IsItTold": choice((told, "Wait"), otherwise="TellWaiting"),
        "TellWaiting": _put(
            places,
            "Shelf Reading Waits",
            {"Detail": detail},
            then="NoteTold",
            catch=[on(ANY_ERROR, "NoteTold")],
        ),
        "NoteTold": note("$.told", True, then="Wait"),
        # Then everything anew: sales and stock are those of the day that is asked on.
        "Wait": wait(places.wait_seconds, then="Gather"),
    }


def _ordering(places: OrderingPlaces) -> States:
    order = {"document.$": "$.done.step.document", "answer.$": "$.answer.body"}
    moved = on(["ShelfMoved"], "Gather")
    event = {"Detail.$": "$.done.step.event"}
    return {
        "Order": {**_step(places, "order", order, then="WhatCame"), "Catch": [moved]},
        "WhatCame": choice((equals(STATE, "late"), "Done"), otherwise="Announce"),
        "Announce": _put(places, "Replenishment Ordered", event, then="Done"),
        "Done": {"Type": "Succeed"},
    }


def _step(places: OrderingPlaces, step: str, given: dict[str, Any], *, then: str) -> State:
    """A step of the function's; its answer takes the place of the last one's."""
    state = task(
        f"arn:{places.partition}:states:::lambda:invoke",
        {"FunctionName": places.function, "Payload": {"step": step, **given}},
        keep="$.done",
        select={"step.$": "$.Payload"},
        then=then,
    )
    state["Retry"] = [
        {"ErrorEquals": list(FINAL), "MaxAttempts": 0},
        THROTTLED,
        *state["Retry"],
    ]
    return state


def _put(
    places: OrderingPlaces,
    detail_type: str,
    detail: dict[str, Any],
    *,
    then: str,
    catch: list[dict[str, Any]] | None = None,
) -> State:
    entry = {"EventBusName": places.bus, "Source": SOURCE, "DetailType": detail_type, **detail}
    return task(
        f"arn:{places.partition}:states:::events:putEvents",
        {"Entries": [entry]},
        catch=catch or (),
        then=then,
    )

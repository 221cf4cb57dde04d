"""The release state machine: how it goes back, and how it ends."""

from __future__ import annotations

from typing import Any

from .release_changes import serving, update_stack
from .release_places import IN_PROGRESS, NO_UPDATES, NONE_YET, THROTTLED, ReleasePlaces
from .release_states import (
    ANY_ERROR,
    State,
    States,
    choice,
    equals,
    matches,
    note,
    on,
    take,
    task,
    wait,
)

SOURCE = "sagelens.release"


def restoring(places: ReleasePlaces) -> States:
    """Put back parameter and stack.

    First the alarms must be quiet: SageMaker and CloudFormation would roll back the cure as well.
    After a while it goes on all the same.
    """
    return {
        "Restore": note("$.quiet", {"looks": 0}, then="LookAtAlarms"),
        "LookAtAlarms": task(
            places.sdk("cloudwatch", "describeAlarms"),
            {"AlarmNames": list(places.alarms), "StateValue": "ALARM", "MaxRecords": 1},
            keep="$.ringing",
            select={"number.$": "States.ArrayLength($.MetricAlarms)"},
            then="IsItQuiet",
            catch=[on(ANY_ERROR, "RestoreVersion")],
        ),
        "IsItQuiet": choice(
            ({"Variable": "$.ringing.number", "NumericEquals": 0}, "RestoreVersion"),
            (
                {"Variable": "$.quiet.looks", "NumericGreaterThanEquals": places.quiet_looks},
                "RestoreVersion",
            ),
            otherwise="WaitForQuiet",
        ),
        "WaitForQuiet": wait(places.poll_seconds, then="CountLook"),
        "CountLook": take(
            "$.quiet", {"looks.$": "States.MathAdd($.quiet.looks, 1)"}, then="LookAtAlarms"
        ),
        "RestoreVersion": task(
            places.sdk("ssm", "putParameter"),
            {"Name": places.parameter, "Value.$": "$.released.value", "Overwrite": True},
            then="RestoreStack",
            catch=[on(ANY_ERROR, "NotRestored")],
        ),
        "RestoreStack": task(
            places.sdk("cloudformation", "updateStack"),
            {**update_stack(places), "RollbackConfiguration": {"RollbackTriggers": []}},
            then="WaitForRestored",
            catch=[on(ANY_ERROR, "WhyNotRestored")],
            retry=False,
        ),
        "WhyNotRestored": choice(
            (matches("$.error.Cause", NO_UPDATES), "WasAnythingServed"),
            (matches("$.error.Cause", IN_PROGRESS), "WaitToRestore"),
            (matches("$.error.Cause", THROTTLED), "WaitToRestore"),
            otherwise="NotRestored",
        ),
        "WaitToRestore": wait(places.poll_seconds, then="RestoreStack"),
        "WaitForRestored": wait(places.poll_seconds, then="LookAtRestored"),
        "LookAtRestored": task(
            places.sdk("cloudformation", "describeStacks"),
            {"StackName": places.stack},
            keep="$.stack",
            select={"status.$": "$.Stacks[0].StackStatus"},
            then="IsStackRestored",
            catch=[on(ANY_ERROR, "NotRestored")],
        ),
        "IsStackRestored": choice(
            (equals("$.stack.status", "UPDATE_COMPLETE"), "WasAnythingServed"),
            (matches("$.stack.status", IN_PROGRESS), "WaitForRestored"),
            otherwise="NotRestored",
        ),
        "WasAnythingServed": choice(
            (equals("$.released.value", NONE_YET), "Restored"),
            otherwise="RestoredLookAtEndpoint",
        ),
        **serving(places, "Restored", good="Restored", bad="NotRestored"),
        "Restored": note("$.outcome", {"restored": "yes"}, then="AnnounceFailure"),
        "NotRestored": note("$.outcome", {"restored": "no"}, then="AnnounceFailure"),
    }


def ending(places: ReleasePlaces) -> States:
    """Announce, give the lock back, end."""
    update = places.optimized("dynamodb:updateItem")
    mine = {
        "TableName": places.table,
        "Key": places.key,
        "ConditionExpression": "#owner = :me",
        "ExpressionAttributeNames": {"#owner": "owner"},
    }
    me = {":me": {"S.$": "$$.Execution.Id"}}
    freed = {
        **mine,
        "UpdateExpression": "REMOVE #owner, taken_at",
        "ExpressionAttributeValues": me,
    }
    return {
        "AnnounceSuccess": _announce(
            places,
            "Release Succeeded",
            {"version.$": "$.target.value", "previous.$": "$.released.value"},
            then="TellSuccess",
        ),
        "TellSuccess": _tell(
            places,
            "{}: {} is live",
            "$.target.value",
            subject="released",
            then="KeepReleased",
        ),
        "KeepReleased": task(
            update,
            {
                **mine,
                "UpdateExpression": "SET released = :version REMOVE #owner, taken_at",
                "ExpressionAttributeValues": {**me, ":version": {"S.$": "$.target.value"}},
            },
            then="Released",
            catch=[on(ANY_ERROR, "GiveUp")],
        ),
        "Released": {"Type": "Succeed"},
        "Skip": _announce(
            places,
            "Release Skipped",
            {"version.$": "$.package", "reason.$": "$.reason"},
            then="Unlock",
        ),
        "Unlock": task(update, freed, then="Nothing", catch=[on(ANY_ERROR, "GiveUp")]),
        "Nothing": {"Type": "Succeed"},
        "AnnounceFailure": _announce(
            places,
            "Release Failed",
            {
                "version.$": "$.target.value",
                "previous.$": "$.released.value",
                "reason.$": "$.reason",
                "error.$": "$.error",
                "restored.$": "$.outcome.restored",
            },
            then="TellFailure",
        ),
        "TellFailure": _tell(
            places,
            "{}: the release of {} failed. {}. Restored: {}",
            "$.target.value",
            "$.reason",
            "$.outcome.restored",
            subject="release failed",
            then="UnlockFailed",
        ),
        "UnlockFailed": task(update, freed, then="Failed", catch=[on(ANY_ERROR, "Failed")]),
        "Failed": {
            "Type": "Fail",
            "Error": "ReleaseFailed",
            "CausePath": "$.reason",
        },
        # Before anything was changed, or after all was done: the alarm on failed executions tells.
        "GiveUp": task(update, freed, then="Broken", catch=[on(ANY_ERROR, "Broken")]),
        "Broken": {
            "Type": "Fail",
            "Error": "ReleaseBroken",
            "CausePath": "States.JsonToString($.error)",
        },
    }


def _announce(places: ReleasePlaces, kind: str, detail: dict[str, Any], *, then: str) -> State:
    """An event on the bus. That it cannot be sent changes nothing about the release."""
    entry = {
        "EventBusName": places.bus,
        "Source": SOURCE,
        "DetailType": kind,
        "Detail": {
            "schema": "1",
            "endpoint": places.endpoint,
            "group": places.group,
            "execution.$": "$$.Execution.Id",
            **detail,
        },
    }
    return task(
        places.optimized("events:putEvents"),
        {"Entries": [entry]},
        then=then,
        catch=[on(ANY_ERROR, then)],
    )


def _tell(places: ReleasePlaces, text: str, *paths: str, subject: str, then: str) -> State:
    words = ", ".join((f"'{text}'", f"'{places.endpoint}'", *paths))
    return task(
        places.optimized("sns:publish"),
        {
            "TopicArn": places.topic,
            "Subject": f"{places.endpoint}: {subject}"[:100],
            "Message.$": f"States.Format({words})",
        },
        then=then,
        catch=[on(ANY_ERROR, then)],
    )

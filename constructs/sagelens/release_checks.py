"""The release state machine: the lock, and whether a version may go live."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .release_places import LOCKED_OUT, NONE_YET, ReleasePlaces
from .release_states import (
    ANY_ERROR,
    States,
    choice,
    equals,
    note,
    on,
    same,
    take,
    task,
    wait,
)


def locking(places: ReleasePlaces) -> States:
    """Take the lock, or wait for it; take it over from an execution that is no more."""
    owned = {"#owner": "owner"}
    me = {":me": {"S.$": "$$.Execution.Id"}, ":now": {"S.$": "$$.State.EnteredTime"}}

    def taken(condition: str, values: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "TableName": places.table,
            "Key": places.key,
            "UpdateExpression": "SET #owner = :me, taken_at = :now",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": owned,
            "ExpressionAttributeValues": {**me, **values},
        }

    update = places.optimized("dynamodb:updateItem")
    failed = on(ANY_ERROR, "GiveUp")
    return {
        "Begin": take(
            "$",
            {
                "package.$": "$.detail.ModelPackageArn",
                "asked.$": "$.detail.ModelApprovalStatus",
                "error": {},
                "reason": "",
            },
            then="TakeLock",
        ),
        "TakeLock": task(
            update,
            taken("attribute_not_exists(#owner) OR #owner = :me", {}),
            then="ReadLive",
            catch=[on(LOCKED_OUT, "FindHolder"), failed],
            retry=False,
        ),
        "FindHolder": task(
            places.optimized("dynamodb:getItem"),
            {"TableName": places.table, "Key": places.key, "ConsistentRead": True},
            keep="$.lock",
            then="IsItHeld",
            catch=[failed],
        ),
        "IsItHeld": choice(
            ({"Variable": "$.lock.Item.owner.S", "IsPresent": True}, "LookAtHolder"),
            otherwise="TakeLock",
        ),
        "LookAtHolder": task(
            places.sdk("sfn", "describeExecution"),
            {"ExecutionArn.$": "$.lock.Item.owner.S"},
            keep="$.holder",
            select={"status.$": "$.Status"},
            then="IsHolderAlive",
            catch=[on(["Sfn.ExecutionDoesNotExistException"], "TakeOver"), failed],
        ),
        "IsHolderAlive": choice(
            (equals("$.holder.status", "RUNNING"), "WaitForLock"),
            (equals("$.holder.status", "PENDING_REDRIVE"), "WaitForLock"),
            otherwise="TakeOver",
        ),
        "WaitForLock": wait(places.poll_seconds, then="TakeLock"),
        "TakeOver": task(
            update,
            taken("#owner = :dead", {":dead": {"S.$": "$.lock.Item.owner.S"}}),
            then="ReadLive",
            catch=[on(LOCKED_OUT, "WaitForLock"), failed],
            retry=False,
        ),
    }


def checking(places: ReleasePlaces) -> States:
    """Find out what is live, and whether the package may take its place."""
    failed = on(ANY_ERROR, "GiveUp")
    described = {
        "group.$": "$.ModelPackageGroupName",
        "approval.$": "$.ModelApprovalStatus",
        "status.$": "$.ModelPackageStatus",
        "version.$": "$.ModelPackageVersion",
        "created.$": "$.CreationTime",
    }
    describe = places.sdk("sagemaker", "describeModelPackage")
    ours = equals("$.described.group", places.group)
    # Going back is the cure when alarms ring: they must not undo it.
    triggers = [{"Arn": arn, "Type": "AWS::CloudWatch::Alarm"} for arn in places.alarm_arns]
    return {
        "ReadLive": task(
            places.sdk("ssm", "getParameter"),
            {"Name": places.parameter},
            keep="$.live",
            select={"value.$": "$.Parameter.Value"},
            then="RememberReleased",
            catch=[failed],
        ),
        # Kept before anything is changed: what to go back to, also after a crash in between.
        "RememberReleased": task(
            places.optimized("dynamodb:updateItem"),
            {
                "TableName": places.table,
                "Key": places.key,
                "UpdateExpression": "SET released = if_not_exists(released, :live)",
                "ExpressionAttributeValues": {":live": {"S.$": "$.live.value"}},
                "ReturnValues": "ALL_NEW",
            },
            keep="$.released",
            select={"value.$": "$.Attributes.released.S"},
            then="LookAtPackage",
            catch=[failed],
        ),
        "LookAtPackage": task(
            describe,
            {"ModelPackageName.$": "$.package"},
            keep="$.described",
            select=described,
            then="WhatIsAsked",
            catch=[on(ANY_ERROR, "PackageIsGone")],
        ),
        "PackageIsGone": note("$.reason", "The model package cannot be read", then="Skip"),
        "WhatIsAsked": choice(
            ({"And": [ours, equals("$.described.approval", "Rejected")]}, "IsRejectedLive"),
            (
                {
                    "And": [
                        ours,
                        equals("$.asked", "Approved"),
                        equals("$.described.approval", "Approved"),
                        equals("$.described.status", "Completed"),
                    ]
                },
                "IsAnythingLive",
            ),
            otherwise="NotReleasable",
        ),
        "NotReleasable": note(
            "$.reason", "The model package is not an approved one of this group", then="Skip"
        ),
        "IsAnythingLive": choice(
            (equals("$.released.value", NONE_YET), "AimAtPackage"),
            (
                {"And": [same("$.package", "$.released.value"), same("$.package", "$.live.value")]},
                "IsLiveAlready",
            ),
            otherwise="LookAtLive",
        ),
        "IsLiveAlready": note("$.reason", "This version is live already", then="Unlock"),
        "LookAtLive": task(
            describe,
            {"ModelPackageName.$": "$.released.value"},
            keep="$.before",
            select={"version.$": "$.ModelPackageVersion"},
            then="IsItNewer",
            # A live package that was deleted cannot be compared, and must not block.
            catch=[on(ANY_ERROR, "AimAtPackage")],
        ),
        "IsItNewer": choice(
            (
                {
                    "Variable": "$.described.version",
                    "NumericGreaterThanEqualsPath": "$.before.version",
                },
                "AimAtPackage",
            ),
            otherwise="IsOlder",
        ),
        "IsOlder": note("$.reason", "A newer version is live; reject that to go back", then="Skip"),
        "AimAtPackage": take(
            "$.target", {"value.$": "$.package", "triggers": triggers}, then="WriteVersion"
        ),
        "IsRejectedLive": choice(
            (same("$.package", "$.released.value"), "FindEarlier"),
            (same("$.package", "$.live.value"), "FindEarlier"),
            otherwise="RejectedIsNotLive",
        ),
        "RejectedIsNotLive": note(
            "$.reason", "The rejected version is not the live one", then="Unlock"
        ),
        "FindEarlier": task(
            places.sdk("sagemaker", "listModelPackages"),
            {
                "ModelPackageGroupName": places.group,
                "ModelApprovalStatus": "Approved",
                "CreationTimeBefore.$": "$.described.created",
                "SortBy": "CreationTime",
                "SortOrder": "Descending",
                "MaxResults": 1,
            },
            keep="$.earlier",
            select={"found.$": "$.ModelPackageSummaryList"},
            then="IsThereEarlier",
            catch=[failed],
        ),
        "IsThereEarlier": choice(
            (
                {"Variable": "$.earlier.found[0].ModelPackageArn", "IsPresent": True},
                "AimAtEarlier",
            ),
            otherwise="AimAtNone",
        ),
        "AimAtEarlier": take(
            "$.target",
            {"value.$": "$.earlier.found[0].ModelPackageArn", "triggers": []},
            then="WriteVersion",
        ),
        "AimAtNone": note("$.target", {"value": NONE_YET, "triggers": []}, then="WriteVersion"),
    }

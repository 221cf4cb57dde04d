"""Customers unlike those that a model learned from, and the deployed watch that notices them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.customers import customers
from rehearsal.scenarios.support.waiting import until

ROWS, EACH = 600, 100
UNSEEN = 0.6  # share of customers with a category that training never saw
CAPTURED_SECONDS = 15


def send_strangers(context: Context) -> int:
    """Ask the endpoint about customers of a changed world; return how many rows that were."""
    head, *rows = customers(rows=ROWS, seed=9, unseen=UNSEEN).decode().splitlines()
    runtime = context.client("sagemaker-runtime")
    for start in range(0, len(rows), EACH):
        body = "\n".join([head, *rows[start : start + EACH]])
        runtime.invoke_endpoint(
            EndpointName=context.outputs["ChurnEndpointName"],
            Body=body.encode(),
            ContentType="text/csv",
            Accept="text/csv",
        )
    return len(rows)


def look_for_drift(context: Context) -> dict[str, Any]:
    """Start the watch as its schedule would at the end of this hour, and wait for its end.

    Returns:
        The execution as Step Functions describes it.
    """
    _captured(context)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    client = context.client("stepfunctions")
    started = client.start_execution(
        stateMachineArn=context.outputs["ChurnDriftStateMachineArn"],
        # Five minutes late, as demo.yaml has it, so that the last requests are written.
        input=json.dumps({"at": f"{hour + timedelta(minutes=6):%Y-%m-%dT%H:%M:%SZ}"}),
    )["executionArn"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = client.describe_execution(executionArn=started)
        return found if found["status"] != "RUNNING" else None

    return until(ended, "the drift watch", 90)


def _captured(context: Context) -> None:
    """Wait until the last requests lie in S3."""
    s3 = context.client("s3")
    place = {
        "Bucket": context.outputs["ModelsBucketName"],
        "Prefix": context.outputs["ChurnCapturedPrefix"],
    }

    def rows() -> bool | None:
        found = 0
        for each in s3.list_objects_v2(**place).get("Contents", []):
            body = s3.get_object(Bucket=place["Bucket"], Key=each["Key"])["Body"].read()
            found += body.count(b"Five year") + body.count(b"Digital wallet")
        return found > ROWS * 0.4 or None

    until(rows, "the captured requests", CAPTURED_SECONDS, pause=0.5)


def most_drifted(report: Mapping[str, Any], most: int = 6) -> list[tuple[str, str, str]]:
    """Return name, PSI and reasons of the features that changed most."""
    return [
        (each["name"], f"{each['psi']:.2f}", "; ".join(each["reasons"]) or "as before")
        for each in report["features"][:most]
        if isinstance(each.get("psi"), int | float)
    ]

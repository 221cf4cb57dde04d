"""Lambda handler of the state machine's own steps: {"step": "gather" | "order", …} in, state out.

Environment variables: TABLE, BUCKET (of the kept documents), ENVIRONMENT, RECORD_DAYS (empty keeps
records); optional LOG_LEVEL. What it raises, the state machine catches by the class's name.
"""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from retail import settings
from retail.ordering_flow import OrderingFlow
from retail.sales import Sales
from shared import clients
from shared.clock import Clock
from shared.logs import Log

DYNAMODB, S3 = clients.make("dynamodb", "s3")

METRICS = {"ordered": "ReadingsOrdered", "repeated": "ReadingsRepeated", "late": "ReadingsLate"}


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Carry out one step of one reading.

    event: `step` "gather" with `detail` and `execution`, or "order" with `document` and `answer`.
    """
    flow = _flow()
    if event["step"] == "gather":
        done = flow.gather(event["detail"], str(event["execution"]))
    else:
        done = flow.order(str(event["document"]), str(event["answer"]))
    log = Log(os.environ["ENVIRONMENT"], {"request_id": str(context.aws_request_id)})
    metric = METRICS.get(done["state"])
    log.info("reading worked on", {metric: 1} if metric else None, decision=done["state"])
    return done


@cache
def _flow() -> OrderingFlow:
    told = os.environ
    table = settings.required(told, "TABLE")
    return OrderingFlow(
        dynamodb=DYNAMODB,
        s3=S3,
        sales=Sales(DYNAMODB, table),
        table=table,
        bucket=settings.required(told, "BUCKET"),
        record_seconds=settings.record_seconds(told),
        clock=Clock(),
    )

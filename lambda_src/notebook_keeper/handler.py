"""Lambda handler that looks after notebook instances.

Events: {"action": "sweep"}, {"action": "start" or "stop", "notebook": name}. Environment variables:
ENVIRONMENT, NOTEBOOKS (JSON: idle minutes allowed, by name); optional LOG_LEVEL.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from notebook_keeper.keeper import Keeper
from shared import clients
from shared.clock import Clock
from shared.logs import Log

SAGEMAKER, CLOUDWATCH = clients.make("sagemaker", "cloudwatch")


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Do what a schedule asks for; an exception makes Lambda try again."""
    environment = os.environ["ENVIRONMENT"]
    log = Log(environment, {"request_id": str(context.aws_request_id)})
    limits: dict[str, int] = json.loads(os.environ["NOTEBOOKS"])
    carry_out(event, Keeper(environment, limits, SAGEMAKER, CLOUDWATCH, Clock(), log))


def carry_out(event: Mapping[str, Any], keeper: Keeper) -> None:
    """Do what an event asks for.

    Raises:
        ValueError: it asks for something else than can be done, or for somebody else's instance.
    """
    action, name = event.get("action"), event.get("notebook")
    if action == "sweep":
        keeper.sweep()
    elif action not in ("start", "stop"):
        raise ValueError(f"action is {action!r}; allowed are sweep, start and stop")
    elif name not in keeper.limits:
        raise ValueError(f"notebook is {name!r}; allowed are {', '.join(keeper.limits)}")
    else:
        (keeper.start if action == "start" else keeper.stop)(str(name))

"""Lambda handler of the keeper of Custom Labels models, which a schedule invokes each minute.

Environment variables: ENVIRONMENT, MODELS_TABLE, SWEEP_MINUTES, MODELS (JSON: by name project,
lease_minutes, units, most_units); optional LOG_LEVEL.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from custom_model_keeper.keeper import Keeper
from custom_model_keeper.leases import Model
from shared import clients
from shared.clients import ATTEMPT_SECONDS
from shared.clock import Clock
from shared.custom_models import ModelTable
from shared.logs import Log

CLIENTS = clients.make("rekognition", "sqs", "dynamodb")


class ModelsNotKept(Exception):
    """Some models could not be started or stopped; the next sweep tries again."""


def handler(event: Mapping[str, Any], context: Any) -> None:
    """Sweep once. Raises ModelsNotKept, so that the function's alarm rings."""
    rekognition, sqs, dynamodb = CLIENTS
    given = json.loads(os.environ["MODELS"])
    failed = Keeper(
        rekognition=rekognition,
        sqs=sqs,
        table=ModelTable(dynamodb, os.environ["MODELS_TABLE"]),
        models=[Model.of(name, model) for name, model in sorted(given.items())],
        log=Log(os.environ["ENVIRONMENT"], {"request_id": str(context.aws_request_id)}),
        clock=Clock(),
        sweep_minutes=float(os.environ["SWEEP_MINUTES"]),
        may_go_on=lambda: context.get_remaining_time_in_millis() / 1000 > ATTEMPT_SECONDS,
    ).sweep()
    if failed:
        raise ModelsNotKept(f"could not be started or stopped: {', '.join(failed)}")

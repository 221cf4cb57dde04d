"""Lambda handler of the steps of a Custom Labels training, invoked by its state machine.

Environment variables: MODELS_TABLE, MODEL (JSON: name, project, bucket, prefix, least_images, f1,
recall).
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from custom_labels_training.steps import Model, Steps
from shared import clients
from shared.clock import Clock
from shared.custom_models import ModelTable

CLIENTS = clients.make("s3", "rekognition", "dynamodb")


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Carry out the step that `event["step"]` names: check or judge.

    Raises ManifestErrors, whose text is for people, for manifests that cannot be trained on.
    """
    s3, rekognition, dynamodb = CLIENTS
    steps = Steps(
        s3=s3,
        rekognition=rekognition,
        table=ModelTable(dynamodb, os.environ["MODELS_TABLE"]),
        model=Model.of(json.loads(os.environ["MODEL"])),
        clock=Clock(),
    )
    return steps.check() if event["step"] == "check" else steps.judge(event)

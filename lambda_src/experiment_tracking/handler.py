"""Lambda handler of experiment tracking: a pipeline's Lambda step in, the run's ids out.

A run that cannot be tracked never fails the pipeline: what failed is a record of a model, and the
model, hours of training, is registered all the same. The function tries again by itself as long as
it has time, then logs what it was asked for, emits the metric RunsNotTracked, which the construct
raises an alarm on, and answers NOT_TRACKED. Invoking it later with the logged event makes up for
it, for nothing is ever written twice.

A training rule that the run has violated is told by the metric RuleViolations of its model.

Environment variables: MLFLOW_APP_ARN, ENVIRONMENT; optional LOG_LEVEL and
SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT (see mlflow_api.py).
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import botocore.session  # pyright: ignore[reportMissingTypeStubs]
from botocore.config import Config  # pyright: ignore[reportMissingTypeStubs]

from experiment_tracking import request as requests
from experiment_tracking import violations
from experiment_tracking.mlflow_api import Api, App
from experiment_tracking.results import Reader
from experiment_tracking.runs import Run, Runs
from shared.logs import Log

# The texts go into a model package's customer metadata, which allows neither an empty one nor `#`.
NOT_TRACKED = "not tracked"
MARGIN_SECONDS = 10.0  # kept for the log line and the answer

SESSION: Any = botocore.session.Session()
S3: Any = SESSION.create_client(
    "s3",
    region_name=os.environ.get("AWS_REGION"),
    config=Config(
        connect_timeout=3, read_timeout=20, retries={"mode": "standard", "total_max_attempts": 4}
    ),
)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, str]:
    """Track one run; answer its ids as texts, or NOT_TRACKED for each. Never raises."""
    log = Log(
        os.environ.get("ENVIRONMENT", ""),
        {"request_id": getattr(context, "aws_request_id", "")},
    )
    app_arn = os.environ.get("MLFLOW_APP_ARN", "")
    try:
        run, missing = track(event, app_arn, _deadline(context), log)
    except Exception as error:
        # Anything at all: see above. The event lets a person invoke the function again.
        log.error(
            "the run could not be tracked; invoke this function with the event when it is mended",
            {"RunsNotTracked": 1},
            error=f"{type(error).__name__}: {error}",
            event=event,
        )
        return dict.fromkeys(("run_id", "experiment_id", "app_arn", "run_url"), NOT_TRACKED)
    if missing:
        log.warning("the run is tracked without something", run_id=run.run_id, missing=missing)
    log.info("tracked", {"RunsTracked": 1}, run_id=run.run_id, again=run.finished)
    page = f"{App.of(app_arn).endpoint}/#/experiments/{run.experiment_id}/runs/{run.run_id}"
    return {
        "run_id": run.run_id,
        "experiment_id": run.experiment_id,
        "app_arn": app_arn,
        "run_url": page,
    }


def track(
    event: Mapping[str, Any], app_arn: str, deadline: float, log: Log
) -> tuple[Run, tuple[str, ...]]:
    """Track one run; return it and what of its results is missing."""
    request = requests.read(event)
    endpoint = os.environ.get("SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT", "")
    api = Api(App.of(app_arn), SESSION.get_credentials(), endpoint, deadline)
    # Results first: what cannot be read leaves no half a run behind.
    results = Reader(S3).read(request.model_url, request.evaluation_url, request.plots_url)
    _tell_violations(log.by(Model=request.model), request, results.training)
    run = Runs(api, S3, int(time.time() * 1000)).track(request, results)
    return run, results.missing


def _tell_violations(log: Log, request: requests.Request, training: Mapping[str, Any]) -> None:
    """Say which training rules were violated: before MLflow is asked for anything, so in any case.

    None is told as well, so that the metric's alarm ends by itself.
    """
    found = violations.read(training)
    if found is None:
        return
    metrics = {"RuleViolations": len(found)}
    named = {"execution": request.execution_arn, "training_job": request.training_job}
    if found:
        words = [violation.words for violation in found]
        log.warning("training rules are violated", metrics, violations=words, **named)
    else:
        log.info("no training rule is violated", metrics, **named)


def _deadline(context: Any) -> float:
    left = getattr(context, "get_remaining_time_in_millis", None)
    return time.monotonic() + left() / 1000 - MARGIN_SECONDS if left else float("inf")

"""Lambda handler of the image analysis: a batch of queue messages in, its failures out.

Environment variables: RESULTS_TABLE, EVENT_BUS, QUEUE_URL, ENVIRONMENT, SETTINGS (JSON) or
SETTINGS_FILE, RECORD_DAYS (empty keeps records); optional RESULTS_BUCKET (for results that are too
large for a record), MODELS_TABLE (where an analysis names Custom Labels models), LOG_LEVEL and
LOG_KEYS.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from image_analysis import settings
from image_analysis.custom_models import CustomModels
from image_analysis.detection import Detector
from image_analysis.flow import Flow
from image_analysis.overflow import Overflow
from image_analysis.pacing import Pacer
from image_analysis.retries import Retries
from image_analysis.reuse import Reuse
from image_analysis.settings import Settings
from image_analysis.worker import Invocation, Worker
from shared import batch, clients
from shared.clients import Clients
from shared.clock import Clock
from shared.conclusion import Conclusion
from shared.custom_models import ModelTable
from shared.logs import Log
from shared.records import Records

CLIENTS = clients.connect()


def handler(event: Mapping[str, Any], context: Any) -> batch.Answer:
    """Analyse the images that a batch of messages tells of.

    Returns the partial batch response: the ids of the messages that are to come back.
    """
    chosen = settings.current()
    invocation = Invocation.of(context)
    worker = Worker(
        flow=_flow(),
        retries=Retries(CLIENTS.sqs, chosen.queue_url, chosen.retry),
        log=Log(chosen.environment, {"request_id": invocation.request_id}),
        invocation=invocation,
        image_price=chosen.saving.image_price,
    )
    return batch.run(event, worker.process)


def make_flow(chosen: Settings, made: Clients, clock: Clock) -> Flow:
    """Return the flow for these settings, with pacers of its own."""
    pacers = {operation: Pacer(pace, clock) for operation, pace in chosen.pace.items()}
    records = Records(made.dynamodb, chosen.table, chosen.record_seconds)
    table = ModelTable(made.dynamodb, chosen.models_table) if chosen.models_table else None
    models = CustomModels(table, chosen.queue_url, chosen.models, clock)
    return Flow(
        s3=made.s3,
        detector=Detector(made.rekognition, chosen.analyses, pacers, models),
        records=records,
        overflow=Overflow(made.s3, chosen.results_bucket),
        conclusion=Conclusion(made.s3, made.events, records, chosen.fingerprint, chosen.bus),
        reuse=Reuse(
            made.s3,
            made.dynamodb,
            chosen.table,
            chosen.fingerprint,
            chosen.saving.seconds,
            are_live=models.are_live,
        ),
        policy=chosen.policy,
        settings=chosen.fingerprint,
        clock=clock,
    )


@cache
def _flow() -> Flow:
    # Once for an execution environment: the pacers remember the calls of earlier batches.
    return make_flow(settings.current(), CLIENTS, Clock())

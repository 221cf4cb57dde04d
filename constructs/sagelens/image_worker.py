"""The function that analyses images, and what it may do."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .analysis_calls import Operation
from .custom_models_table import CustomModels
from .errors import ArgumentErrors
from .function_settings import FunctionSettings
from .pace import Pace, Retry
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction
from .results_table import CONTENTS_INDEX
from .seen_objects import announcing, keeping, recording, seeing
from .statement import allow
from .work_queue import WorkQueue

Policy = Mapping[str, Mapping[str, Mapping[str, Sequence[float]]]]
"""By analysis and label: the bands of confidence, in per cent, of each decision."""


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What an image function works with.

    Args:
        bucket: Where images arrive.
        prefix: Folder in it, for example ``incoming/``.
        results: Table of the records.
        bus: Event bus that hears of each result.
        encryption_key: Key of bucket, table and queue.
        work: Queue that it works off.
        large_results: Bucket for results that are too large for a record, if there is one.
        custom_models: Custom Labels models that analyses call by name, if there are any.
        backfill_work: Queue of what lay in the bucket already, if there is one.
        backfill_prefixes: Further folders that a backfill may take images from.
    """

    bucket: s3.IBucket
    prefix: str
    results: dynamodb.ITable
    bus: events.IEventBus
    encryption_key: kms.IKey
    work: WorkQueue
    large_results: s3.IBucket | None = None
    custom_models: CustomModels | None = None
    backfill_work: WorkQueue | None = None
    backfill_prefixes: Sequence[str] = ()

    @property
    def prefixes(self) -> list[str]:
        """The folders that images are read from."""
        return [self.prefix, *self.backfill_prefixes]

    @property
    def image_arns(self) -> list[str]:
        """The ARNs of all images, for a policy."""
        return [self.bucket.arn_for_objects(f"{prefix}*") for prefix in self.prefixes]


@dataclass(frozen=True, kw_only=True)
class AnswerReuse:
    """Images with the same bytes are answered from an earlier record.

    Args:
        days: How old an answer may be, in days.
        image_price: What the calls for one image cost, in US dollars, for the metric of what was
            saved.
    """

    days: float = 30
    image_price: float = 0

    def check(self, errors: ArgumentErrors) -> None:
        """Note what is out of bounds."""
        errors.require(self.days > 0, f"reuse.days: got {self.days:g}, allowed is a number above 0")
        errors.require(
            self.image_price >= 0,
            f"reuse.image_price: got {self.image_price:g}, allowed is a number from 0 on",
        )


@dataclass(frozen=True, kw_only=True)
class Instructions:
    """What an image function is told to do.

    Args:
        environment_name: Dimension of its metrics.
        analyses: Settings by name of the analysis.
        operations: Amazon Rekognition operations that the analyses call, with their resources.
        policy: What follows from their findings.
        pace: Calls a second of each operation.
        retry: When a message that failed is tried again.
        record_days: Days after which a record expires; None keeps it.
        reuse: When an earlier answer is used again; None: never.
    """

    environment_name: str
    analyses: Mapping[str, Mapping[str, Any]]
    operations: Sequence[Operation]
    policy: Policy
    pace: Pace
    retry: Retry
    record_days: int | None
    reuse: AnswerReuse | None = None

    def settings(self) -> str:
        """What the function reads from its variable ``SETTINGS``, or from a file."""
        settings: dict[str, Any] = {
            "analyses": self.analyses,
            "policy": self.policy,
            "pace": self.pace.calls,
            "retry": {
                "first": self.retry.first_seconds,
                "most": self.retry.most_seconds,
                "denied": self.retry.denied_seconds,
            },
        }
        if self.reuse:
            settings["reuse"] = {"days": self.reuse.days, "image_price": self.reuse.image_price}
        return json.dumps(settings, sort_keys=True, separators=(",", ":"))


class ImageWorker(PythonFunction):
    """The image function with its role, variables and logs.

    Args:
        scope: The parent construct.
        id: The construct's id.
        surroundings: What it works with.
        instructions: What it does.
        options: Time-out, memory and logs.
        network: Where it runs; by default outside any network of yours.
        removal_policy: What becomes of its logs when the stack is deleted.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        surroundings: Surroundings,
        instructions: Instructions,
        options: FunctionOptions,
        network: Network | None,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        days = instructions.record_days
        errors = ArgumentErrors(f"ImageWorker {scope.node.path}/{id}")
        settings = FunctionSettings.of(instructions.settings(), errors, what="analyses and policy")
        errors.throw()
        super().__init__(
            scope,
            id,
            handler="image_analysis.handler.handler",
            description="Analyses each new image with Amazon Rekognition and records the decision",
            statements=_statements(surroundings, instructions),
            encryption_key=surroundings.encryption_key,
            environment={
                "ENVIRONMENT": instructions.environment_name,
                "EVENT_BUS": surroundings.bus.event_bus_name,
                "QUEUE_URL": surroundings.work.queue.queue_url,
                "RECORD_DAYS": "" if days is None else str(days),
                "RESULTS_TABLE": surroundings.results.table_name,
                **_results_bucket(surroundings),
                **_models_table(surroundings),
                **settings.variables,
            },
            options=options,
            files=settings.files,
            network=network,
            removal_policy=removal_policy,
        )


def _statements(
    surroundings: Surroundings, instructions: Instructions
) -> list[iam.PolicyStatement]:
    table = surroundings.results.table_arn
    backfill = surroundings.backfill_work
    return [
        *_analysing(instructions.operations, surroundings.custom_models),
        *seeing(surroundings.bucket, surroundings.prefixes, "Images"),
        recording(surroundings.results),
        *(_reusing(table) if instructions.reuse else ()),
        announcing(surroundings.bus),
        *_keeping(surroundings.large_results),
        *(surroundings.custom_models.statements() if surroundings.custom_models else ()),
        allow("UseKey", _key_actions(surroundings), surroundings.encryption_key.key_arn),
        *surroundings.work.worker_statements(),
        *(backfill.worker_statements("WorkBackfillQueue") if backfill else ()),
    ]


def _analysing(
    operations: Sequence[Operation], models: CustomModels | None
) -> list[iam.PolicyStatement]:
    """The operations that are called, each on the resources that it is called with."""
    free = [each.name for each in operations if not each.resources]
    # Most image operations take no resource.
    statements = [allow("Analyse", _actions(free), "*")] if free else []
    bound = [each for each in operations if each.resources]
    for each in bound:
        resources = [models.resource(name) if models else name for name in each.resources]
        statements.append(allow(f"Analyse{each.name}", _actions([each.name]), *resources))
    return statements


def _reusing(table: str) -> list[iam.PolicyStatement]:
    return [
        allow("FindAnswers", ["dynamodb:Query"], f"{table}/index/{CONTENTS_INDEX}"),
        allow("ReadAnswers", ["dynamodb:GetItem"], table),
    ]


def _keeping(bucket: s3.IBucket | None) -> list[iam.PolicyStatement]:
    return [keeping(bucket, "KeepLargeResults")] if bucket else []


def _key_actions(surroundings: Surroundings) -> list[str]:
    # Writing an encrypted object takes a data key of its own.
    return ["kms:Decrypt", *(["kms:GenerateDataKey"] if surroundings.large_results else [])]


def _results_bucket(surroundings: Surroundings) -> dict[str, str]:
    bucket = surroundings.large_results
    return {"RESULTS_BUCKET": bucket.bucket_name} if bucket else {}


def _models_table(surroundings: Surroundings) -> dict[str, str]:
    models = surroundings.custom_models
    return {"MODELS_TABLE": models.table.table_name} if models else {}


def _actions(operations: Sequence[str]) -> list[str]:
    return [f"rekognition:{operation}" for operation in operations]

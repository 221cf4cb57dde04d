"""The function that analyses stored videos, and what it may do."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .analysis_calls import video_operations
from .errors import ArgumentErrors
from .function_settings import FunctionSettings
from .image_worker import Policy
from .job_role import allow
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction
from .seen_objects import announcing, keeping, recording, seeing
from .video_options import VideoPolling


@dataclass(frozen=True, kw_only=True)
class VideoPlaces:
    """What a video function works with.

    Args:
        bucket: Where videos arrive.
        prefix: Folder in it, for example ``videos/``.
        results: Table of the records.
        results_bucket: Bucket of the results, under ``results/vision/``.
        bus: Event bus that hears of each result.
        encryption_key: Key of buckets and table.
    """

    bucket: s3.IBucket
    prefix: str
    results: dynamodb.ITable
    results_bucket: s3.IBucket
    bus: events.IEventBus
    encryption_key: kms.IKey


@dataclass(frozen=True, kw_only=True)
class VideoInstructions:
    """What a video function is told to do.

    Args:
        environment_name: Dimension of its metrics.
        analyses: Settings by name of the analysis.
        policy: What follows from their findings.
        polling: When jobs are looked at.
        record_days: Days after which a record expires; None keeps it.
    """

    environment_name: str
    analyses: Mapping[str, Mapping[str, Any]]
    policy: Policy
    polling: VideoPolling
    record_days: int | None

    def settings(self) -> str:
        """What the function reads from its variable ``SETTINGS``, or from a file."""
        settings = {
            "analyses": self.analyses,
            "policy": self.policy,
            "polling": {"first": self.polling.first_seconds, "most": self.polling.most_seconds},
        }
        return json.dumps(settings, sort_keys=True, separators=(",", ":"))


class VideoWorker(PythonFunction):
    """The video function with its role, variables and logs.

    Args:
        scope: The parent construct.
        id: The construct's id.
        places: What it works with.
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
        places: VideoPlaces,
        instructions: VideoInstructions,
        options: FunctionOptions,
        network: Network | None,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        days = instructions.record_days
        errors = ArgumentErrors(f"VideoWorker {scope.node.path}/{id}")
        settings = FunctionSettings.of(instructions.settings(), errors, what="analyses and policy")
        errors.throw()
        super().__init__(
            scope,
            id,
            handler="video_analysis.handler.handler",
            description="Carries out the steps of a stored video's analysis",
            statements=_statements(places, instructions),
            encryption_key=places.encryption_key,
            environment={
                "ENVIRONMENT": instructions.environment_name,
                "EVENT_BUS": places.bus.event_bus_name,
                "RECORD_DAYS": "" if days is None else str(days),
                "RESULTS_BUCKET": places.results_bucket.bucket_name,
                "RESULTS_TABLE": places.results.table_name,
                **settings.variables,
            },
            options=options,
            files=settings.files,
            network=network,
            removal_policy=removal_policy,
        )


def _statements(places: VideoPlaces, instructions: VideoInstructions) -> list[iam.PolicyStatement]:
    operations = video_operations(instructions.analyses)
    return [
        # The operations on stored videos take no resource ("Actions, resources, and condition
        # keys for Amazon Rekognition").
        allow("Analyse", [f"rekognition:{each}" for each in operations], ["*"]),
        *seeing(places.bucket, [places.prefix], "Videos"),
        recording(places.results),
        announcing(places.bus),
        keeping(places.results_bucket, "KeepResults"),
        allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [places.encryption_key.key_arn]),
    ]

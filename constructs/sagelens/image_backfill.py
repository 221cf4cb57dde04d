"""What lies in a bucket already is analysed: millions of images, at the pace of the quota."""

from __future__ import annotations

import json
import math

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from .backfill_definition import BackfillPlaces, backfill_definition
from .backfill_roles import BackfillMachineRole, function_statements
from .errors import ArgumentErrors
from .function_settings import FunctionSettings
from .image_analysis import ImageAnalysis
from .job_machine import JobMachine
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction
from .s3_folder import S3Folder
from .work_queue import WorkQueue

SECONDS_A_DAY = 86_400
QUEUE_SHARE = 4
"""The queue is filled to one such part of what it works off before its messages expire."""
BATCHES_A_SECOND = 0.5
"""Of one child execution, estimated: it looks up and sends a hundred objects in 2 s."""
MOST_AT_ONCE = 40


class ImageBackfill(Construct):
    """State machine → batches of objects → a queue of their own → the image function.

    Objects come from a prefix or from an S3 inventory. Each version has the record that an event
    of it would have made, so what is analysed already is left out, and new images and backfills
    do not disturb each other. It goes on only while its queue is not too deep, so that no
    message expires.

    Sources: "Distributed Map state", "Redriving Map Runs" (AWS Step Functions); "Amazon S3
    Inventory list" (Amazon S3); "Amazon SQS message retention period".

    Args:
        scope: The parent construct.
        id: The construct's id.
        analysis: What analyses the images; made with ``backfill``.
        runs: Folder of plans, results and reports.
        inventories: Folder of the same bucket where inventories of the images may lie.
        alarm_topic: Hears when a run fails.
        retention_days: Days that a message of the queue waits for a worker, as the analysis's
            ``queue`` has it.
        image_price: What Amazon Rekognition takes for one image, in US dollars, for the estimates.
        settle_seconds: Least time between two looks at the queue; its numbers are approximate
            and settle within a minute.
        log_retention_days: Days to keep the logs.
        network: Where its function runs; by default outside any network of yours.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        work: The queue, its dead-letter queue and their alarms.
        deepest: Messages in the queue beyond which nothing more is put in.
        worker: The function that does the steps.
        machine_role: What the state machine may do.
        children: The policy that lets it start its child executions.
        definition: The state machine's definition, as plain data.
        machine: The state machine and its alarms.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        analysis: ImageAnalysis,
        runs: S3Folder,
        inventories: S3Folder,
        alarm_topic: sns.ITopic,
        retention_days: int = 4,
        image_price: float = 0,
        settle_seconds: int = 60,
        log_retention_days: int = 30,
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.work = self._check(analysis, runs, inventories, settle_seconds)
        pace = analysis.pace.backfill_images
        self.deepest = max(1, math.floor(retention_days * SECONDS_A_DAY * pace / QUEUE_SHARE))
        images, key = analysis.surroundings, analysis.surroundings.encryption_key
        told = {
            "prefixes": images.prefixes,
            "runs": runs.prefix,
            "deepest": self.deepest,
            "pace": float(f"{pace:.4g}"),
            "least": settle_seconds,
            "image_price": image_price,
        }
        errors = ArgumentErrors(f"ImageBackfill {self.node.path}")
        settings = FunctionSettings.of(
            analysis.instructions.settings(), errors, what="analyses and policy"
        )
        errors.throw()
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="image_analysis.backfill.handler.handler",
            description="Puts images that lie in the bucket into the queue, and counts results",
            statements=function_statements(images, self.work, runs),
            encryption_key=key,
            environment={
                "ENVIRONMENT": analysis.instructions.environment_name,
                "RESULTS_TABLE": images.results.table_name,
                "IMAGES_BUCKET": images.bucket.bucket_name,
                "QUEUE_URL": self.work.queue.queue_url,
                "RUNS_BUCKET": runs.bucket.bucket_name,
                "BACKFILL": json.dumps(told, sort_keys=True, separators=(",", ":")),
                **settings.variables,
            },
            files=settings.files,
            options=FunctionOptions(
                timeout_seconds=120, memory_mb=512, log_retention_days=log_retention_days
            ),
            network=network,
            removal_policy=removal_policy,
        )
        self.machine_role = BackfillMachineRole(
            self,
            "MachineRole",
            images=images,
            runs=runs,
            inventories=inventories,
            function=self.worker.function,
        )
        self.definition = backfill_definition(
            BackfillPlaces(
                partition=cdk.Aws.PARTITION,
                function=self.worker.function.function_arn,
                images_bucket=images.bucket.bucket_name,
                prefixes=images.prefixes,
                runs_bucket=runs.bucket.bucket_name,
                runs_prefix=runs.prefix,
                inventories=inventories.prefix,
                at_once=_at_once(pace),
                least_seconds=settle_seconds,
            )
        )
        self.machine = JobMachine(
            self,
            "Machine",
            role=self.machine_role,
            definition=self.definition,
            what="A backfill of images",
            encryption_key=key,
            alarm_topic=alarm_topic,
            log_retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        self.children = self.machine_role.let_run(self.machine.state_machine)

    def _check(
        self,
        analysis: ImageAnalysis,
        runs: S3Folder,
        inventories: S3Folder,
        settle_seconds: int,
    ) -> WorkQueue:
        errors = ArgumentErrors(f"ImageBackfill {self.node.path}")
        work = analysis.backfill_work
        errors.require(
            work is not None,
            "analysis: got one without a queue for backfills, allowed is one with backfill=",
        )
        errors.between("settle_seconds", settle_seconds, 1, 3_600, unit="s")
        for name, folder in (("runs", runs), ("inventories", inventories)):
            problem = folder.problem()
            errors.require(problem is None, f"{name}.{problem}")
            images = analysis.surroundings
            errors.require(
                folder.bucket is not images.bucket
                or not any(
                    folder.prefix.startswith(each) or each.startswith(folder.prefix)
                    for each in images.prefixes
                ),
                f"{name}.prefix: got {folder.prefix!r}, allowed is a folder apart from those of "
                f"the images, {images.prefixes}: what a run writes would be analysed",
            )
        errors.require(
            inventories.bucket is runs.bucket,
            "inventories: got another bucket than that of runs, allowed is the same",
        )
        errors.throw()
        assert work is not None
        return work

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal start a run and see how it goes.

        Args:
            grantee: A role, user or function.
        """
        self.machine.grant_start(grantee)


def _at_once(images_a_second: float) -> int:
    """Batches of a hundred to feed at the same time, somewhat faster than they are worked off."""
    return min(MOST_AT_ONCE, 1 + math.ceil(images_a_second / 100 / BATCHES_A_SECOND))

"""Copies of images with every face blurred, for people to look at."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from .errors import ArgumentErrors
from .event_worker import EventWorker
from .image_results import FOLLOWED
from .native_layer import NativeLayer
from .private_network import Network
from .python_function import FunctionOptions
from .seen_objects import LARGE_RESULTS
from .statement import allow
from .work_queue import QueueOptions

BLURRED_COPIES = "copies/faces-blurred/"
"""Folder of the copies."""


class FaceBlur(Construct):
    """Keeps a copy, with faces blurred and without metadata, of each image that people may see.

    A function follows the events of the bus. Accepted images and those that wait for a person get a
    copy, to which their record points; what is rejected has none, or loses it. Where faces are, the
    record says if it keeps that; if not, the function asks Amazon Rekognition and keeps nothing.

    Sources: "DetectFaces" (Amazon Rekognition API reference); "Working with layers for Python
    Lambda functions" (AWS Lambda).

    Args:
        scope: The parent construct.
        id: The construct's id.
        images: Where images lie.
        prefix: Folder in it, for example ``incoming/``.
        copies: Where copies go (under ``copies/faces-blurred/``), and large results lie; no bucket
            whose objects are analysed.
        results: Table of the records.
        bus: Event bus that hears of each result.
        encryption_key: Key of buckets, table and queue.
        alarm_topic: Receives the alarms.
        environment_name: Dimension of the metrics.
        longest_side: Pixels that a copy has at most, 100 to 10,000.
        retry_seconds: Wait after a first failure; it doubles with each further one.
        function: Size and logs of the function. It takes one image at a time.
        queue: How long an event waits, and how often it is tried.
        network: Where the function runs; by default outside any network of yours.
        removal_policy: What becomes of the logs when the stack is deleted.

    Attributes:
        follower: Rule, queue and function.

    Raises:
        ValueError: With everything that is wrong with the arguments, or where the packages of the
            function have not been made ready.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        images: s3.IBucket,
        prefix: str,
        copies: s3.IBucket,
        results: dynamodb.ITable,
        bus: events.IEventBus,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        environment_name: str,
        longest_side: int = 2000,
        retry_seconds: float = 5,
        function: FunctionOptions = FunctionOptions(timeout_seconds=60, memory_mb=2048),
        queue: QueueOptions = QueueOptions(),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"FaceBlur {self.node.path}")
        errors.between("longest_side", longest_side, 100, 10_000, unit="px")
        errors.require(
            images is not copies,
            "copies: got the bucket of the images, allowed is another, so that no copy is analysed",
        )
        errors.throw()
        objects = images.arn_for_objects(f"{prefix}*")
        self._copies = copies.arn_for_objects(f"{BLURRED_COPIES}*")
        large = copies.arn_for_objects(f"{LARGE_RESULTS}*")
        self.follower = EventWorker(
            self,
            "Follower",
            bus=bus,
            pattern=FOLLOWED,
            handler="face_blur.handler.handler",
            description="Makes copies of images with faces blurred",
            statements=[
                allow("Records", ["dynamodb:GetItem", "dynamodb:UpdateItem"], results.table_arn),
                allow("ReadImages", ["s3:GetObjectVersion"], objects),
                # Without it S3 answers 403, not 404, for an object that is gone.
                allow("TellGoneFromDenied", ["s3:ListBucket"], images.bucket_arn),
                allow("ReadLargeResults", ["s3:GetObject"], large),
                # It takes no resource.
                allow("FindFaces", ["rekognition:DetectFaces"], "*"),
                allow("WriteCopies", ["s3:PutObject"], self._copies),
                allow("TakeCopiesBack", ["s3:DeleteObjectVersion"], self._copies),
                allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], encryption_key.key_arn),
            ],
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            environment_name=environment_name,
            environment={
                "COPIES_BUCKET": copies.bucket_name,
                "LONGEST_SIDE": str(longest_side),
                "RETRY_SECONDS": f"{retry_seconds:g}",
            },
            # One picture of a hundred megapixels takes much of the memory.
            batch=1,
            layers=[NativeLayer(self, "Packages", group="face_blur")],
            function=function,
            queue=queue,
            network=network,
            removal_policy=removal_policy,
        )

    def grant_read_copies(self, grantee: iam.IGrantable) -> None:
        """Let a principal read the copies, without the use of their key.

        Args:
            grantee: A role, user or function.
        """
        grantee.grant_principal.add_to_principal_policy(
            allow("ReadCopies", ["s3:GetObject"], self._copies)
        )

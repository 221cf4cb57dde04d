"""Lambda handler that makes face-blurred copies: a batch of messages in, its failures out.

Environment variables: ENVIRONMENT, QUEUE_URL, COPIES_BUCKET, LONGEST_SIDE, RETRY_SECONDS; optional
LOG_LEVEL and LOG_KEYS.
"""

import os
from collections.abc import Mapping
from typing import Any

from face_blur.copies import Copies
from shared import batch, clients
from shared.following import Follower
from shared.logs import Log

S3, REKOGNITION, DYNAMODB, SQS = clients.make("s3", "rekognition", "dynamodb", "sqs")

METRICS = {
    "made": "CopiesMade",
    "removed": "CopiesRemoved",
    "impossible": "CopiesImpossible",
    "malformed": "CopiesMalformed",
    "failed": "CopiesFailed",
}


def handler(event: Mapping[str, Any], context: Any) -> batch.Answer:
    """Make the copies of the records that a batch of messages tells of.

    Returns the partial batch response: the ids of the messages that are to come back.
    """
    copies = Copies(
        S3, REKOGNITION, DYNAMODB, os.environ["COPIES_BUCKET"], int(os.environ["LONGEST_SIDE"])
    )
    follower = Follower(
        sqs=SQS,
        queue_url=os.environ["QUEUE_URL"],
        log=Log(os.environ["ENVIRONMENT"], {"request_id": str(context.aws_request_id)}),
        follow=copies.follow,
        metrics=METRICS,
        first_seconds=float(os.environ["RETRY_SECONDS"]),
    )
    return batch.run(event, follower.process)

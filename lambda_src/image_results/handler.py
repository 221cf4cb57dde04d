"""Lambda handler that writes results for Amazon Athena: a batch of messages in, its failures out.

Environment variables: ENVIRONMENT, QUEUE_URL, RESULTS_BUCKET, RETRY_SECONDS; optional LOG_LEVEL
and LOG_KEYS.
"""

import os
from collections.abc import Mapping
from typing import Any

from image_results.export import Export
from shared import batch, clients
from shared.following import Follower
from shared.logs import Log

S3, DYNAMODB, SQS = clients.make("s3", "dynamodb", "sqs")

METRICS = {"made": "RowsWritten", "malformed": "RowsMalformed", "failed": "RowsFailed"}


def handler(event: Mapping[str, Any], context: Any) -> batch.Answer:
    """Write the rows of the records that a batch of messages tells of.

    Returns the partial batch response: the ids of the messages that are to come back.
    """
    log = Log(os.environ["ENVIRONMENT"], {"request_id": str(context.aws_request_id)})
    follower = Follower(
        sqs=SQS,
        queue_url=os.environ["QUEUE_URL"],
        log=log,
        follow=Export(S3, DYNAMODB, os.environ["RESULTS_BUCKET"]).follow,
        metrics=METRICS,
        first_seconds=float(os.environ["RETRY_SECONDS"]),
    )
    return batch.run(event, follower.process)

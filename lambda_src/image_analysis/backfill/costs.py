"""What a backfill costs beside Amazon Rekognition and the image function itself.

List prices of us-east-1 in US dollars, before free tiers; docs/costs.md says where they are from.
"""

from collections.abc import Mapping, Sequence
from typing import Any

USD_A_TRANSITION = 0.025 / 1_000
USD_A_GB_SECOND = 0.0000133334  # on arm64
USD_AN_INVOCATION = 0.20 / 1_000_000
USD_A_GET = 0.0004 / 1_000
USD_A_PUT = 0.005 / 1_000
USD_A_MESSAGE_REQUEST = 0.40 / 1_000_000
# A read request unit, of which an eventually consistent read of up to 4 KB takes half.
USD_A_RECORD = 0.125 / 1_000_000 / 2

# Of one batch that need not wait: its start, Feed, IsThereRoom and Fed; of the last steps, alike.
TRANSITIONS_A_BATCH = 4
# Of the machine itself, whose waits are few and long.
TRANSITIONS_A_RUN = 40


def orchestration(totals: Sequence[Mapping[str, Any]], *, queued: int, memory_mb: int) -> float:
    """Return what listing, feeding and counting cost, in US dollars.

    totals: the numbers of the feeding and of the counting batches. queued: object versions that
    were put into the queue. memory_mb: of the function.
    """
    batches = sum(int(total.get("batches", 0)) for total in totals)
    seconds = sum(float(total.get("milliseconds", 0)) for total in totals) / 1_000
    objects = sum(int(total.get("objects", 0)) for total in totals)
    return sum(
        (
            (TRANSITIONS_A_RUN + TRANSITIONS_A_BATCH * batches) * USD_A_TRANSITION,
            seconds * memory_mb / 1_024 * USD_A_GB_SECOND,
            batches * USD_AN_INVOCATION,
            # The version of each object; the listing itself, a thousand objects a request.
            objects * USD_A_GET + (objects / 1_000 + 2 * batches) * USD_A_PUT,
            # The records, before and after.
            (objects + queued) * USD_A_RECORD,
            # A look at the queue each; ten messages a request.
            (batches + queued / 10) * USD_A_MESSAGE_REQUEST,
        )
    )

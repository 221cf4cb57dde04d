import threading
from typing import Any

import pytest

from shared import batch
from shared.batch import Message


def sqs(*bodies: str, receives: int = 1) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": f"m{number}",
                "receiptHandle": f"r{number}",
                "body": text,
                "attributes": {"ApproximateReceiveCount": str(receives)},
            }
            for number, text in enumerate(bodies)
        ]
    }


def failed(answer: batch.Answer) -> list[str]:
    return [each["itemIdentifier"] for each in answer["batchItemFailures"]]


def test_only_the_failed_come_back():
    def process(message: Message) -> bool:
        if message.body == "raise":
            raise RuntimeError
        return message.body == "fine"

    bodies = ["fine"] * 4 + ["raise", "no"] + ["fine"] * 4
    assert failed(batch.run(sqs(*bodies), process)) == ["m4", "m5"]


@pytest.mark.parametrize("count", [0, 1, 2, 10, 25])
def test_each_message_is_processed_once(count: int):
    seen: list[str] = []
    batch.run(sqs(*["x"] * count), lambda message: bool(seen.append(message.id)) or True)
    assert sorted(seen) == sorted(f"m{number}" for number in range(count))


def test_messages_run_side_by_side():
    meet = threading.Barrier(10, timeout=5)
    assert failed(batch.run(sqs(*["x"] * 10), lambda _: meet.wait() >= 0)) == []


def test_reads_receipt_and_receives():
    got: list[Message] = []
    batch.run(sqs("b", receives=3), lambda message: bool(got.append(message)))
    assert got == [Message("m0", "r0", "b", 3)]


def test_refuses_what_is_no_batch():
    with pytest.raises(ValueError, match="no 'Records'"):
        batch.run({}, lambda _: True)

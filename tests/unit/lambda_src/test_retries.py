from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from image_analysis.retries import Retries
from image_analysis.settings import Retry
from shared.batch import Message
from shared.errors import Busy, Denied, ModelNotRunning, OutOfTime, Transient
from shared.s3_events import Malformed
from tests.unit.lambda_src.world import World, error

MESSAGE = Message("m", "receipt", "{}", 1)
MOST = Retries(None, "q", Retry(5, 300, 900), chance=lambda most: most)


@pytest.mark.parametrize(
    ("receives", "seconds"), [(1, 5), (2, 10), (3, 20), (6, 160), (7, 300), (1000, 300)]
)
def test_backoff_doubles_up_to_its_limit(receives: int, seconds: int):
    assert MOST.seconds(Transient("x"), receives) == seconds


@given(st.integers(1, 50))
def test_jitter_is_full(receives: int):
    some = Retries(None, "q", Retry(5, 300, 900))
    seconds = some.seconds(error("ThrottlingException", "X"), receives)
    assert 1 <= seconds <= MOST.seconds(Transient("x"), receives)


@pytest.mark.parametrize(
    ("raised", "receives", "seconds"),
    [
        (Malformed("x"), 3, 0),
        (OutOfTime("x"), 3, 0),
        (OutOfTime("x", 2.1), 3, 3),
        (Denied("x"), 3, 900),
        (error("AccessDeniedException", "X"), 1, 900),
        (ModelNotRunning("arn:x:project/shelf/version/v1/1"), 1, 900),
        (Busy(80), 1, 5),
        (Busy(2), 1, 2),
        (Busy(0), 1, 1),
        (Busy(80), 2, 81),
        (Busy(10**9), 2, 43_200),
        (KeyError("a fault of ours"), 1, 5),
    ],
)
def test_each_failure_has_its_time(raised: Exception, receives: int, seconds: int):
    assert MOST.seconds(raised, receives) == seconds


def test_gives_back(world: World):
    retries = Retries(world.clients.sqs, "queue", Retry(5, 300, 900), chance=lambda most: most)
    assert retries.give_back(MESSAGE, Transient("x")) == 5
    assert world.hidden == [
        {"QueueUrl": "queue", "ReceiptHandle": "receipt", "VisibilityTimeout": 5}
    ]


def test_gives_back_to_the_queue_that_the_message_came_from(world: World):
    place = "https://sqs.eu-west-1.amazonaws.com/123456789012"
    retries = Retries(world.clients.sqs, f"{place}/images", Retry(5, 300, 900))
    for queue in ("", "backfill"):
        retries.give_back(replace(MESSAGE, queue=queue), Transient("x"))
    assert [each["QueueUrl"] for each in world.hidden] == [f"{place}/images", f"{place}/backfill"]


def test_a_queue_that_refuses_hides_nothing(world: World):
    world.fail("ChangeMessageVisibility", "AccessDenied", 403)
    retries = Retries(world.clients.sqs, "queue", Retry(5, 300, 900))
    assert retries.give_back(MESSAGE, Transient("x")) is None

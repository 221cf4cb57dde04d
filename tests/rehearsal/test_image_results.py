"""Rows of results on the deployed stacks, and the questions of docs/athena.md asked of them."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.rehearsal.full_picture import SEEN
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import Platform
from tests.rehearsal.policies import Policy

PAGE = Path(__file__).parents[2] / "docs" / "athena.md"
QUESTIONS = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
numbers = iter(range(140_000, 149_000))
# By statement: what the function is then denied.
ENFORCED = {
    "ReadRecords": "dynamodb:GetItem",
    "WriteRows": "s3:PutObject",
    "UseKey": "kms:",
}


@pytest.fixture(scope="module")
def role(all_deployed: Platform) -> Policy:
    found = all_deployed.aws.client("lambda").list_functions()["Functions"]
    (own,) = [each for each in found if each["Handler"] == "image_results.handler.handler"]
    return Policy(all_deployed.aws, own["Role"])


@pytest.fixture
def put(full: Platform, picture: Callable[..., bytes]) -> Callable[..., tuple[str, str]]:
    def upload(**seen: Any) -> tuple[str, str]:
        number = next(numbers)
        key, image = f"incoming/rows/{number}.jpg", picture(number)
        full.aws.rekognition.script(image, {**SEEN, **seen})
        version = full.upload(key, image)
        full.record(key, version)
        return key, version

    return upload


def ask(full: Platform, question: str) -> list[dict[str, str]]:
    """The answer of Athena, in the deployed workgroup: rows by column."""
    athena = full.aws.client("athena")
    started = athena.start_query_execution(
        QueryString=question,
        QueryExecutionContext={"Database": full.results["AthenaDatabase"]},
        WorkGroup=full.results["AthenaWorkgroup"],
    )["QueryExecutionId"]

    def ended() -> dict[str, Any] | None:
        found = athena.get_query_execution(QueryExecutionId=started)["QueryExecution"]
        return None if found["Status"]["State"] in ("QUEUED", "RUNNING") else found

    found = wait_for(ended, what="an answer")
    assert found["Status"]["State"] == "SUCCEEDED", (question, found["Status"])
    place = found["ResultConfiguration"]["OutputLocation"]
    assert place.startswith(f"s3://{full.foundation['DataBucketName']}/athena/")
    lines = [
        [cell.get("VarCharValue", "") for cell in row["Data"]]
        for row in athena.get_query_results(QueryExecutionId=started)["ResultSet"]["Rows"]
    ]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]


def rows_of(full: Platform, key: str) -> list[dict[str, str]]:
    full.settle()
    return ask(full, f"SELECT * FROM images WHERE object_key = '{key}'")


def test_a_result_is_a_row_that_athena_reads(full: Platform, put: Any) -> None:
    key, version = put()
    (row,) = rows_of(full, key)
    record = full.record(key, version)
    assert (row["decision"], row["version_id"]) == ("accept", version)
    assert row["day"] == record["analysed_at"][:10]
    assert "Citrus Fruit" in row["labels"] and row["face_count"] == "2"
    assert len(json.loads(row["analyses"])) == 7


def test_what_a_person_decides_replaces_the_row(full: Platform, put: Any) -> None:
    from tests.rehearsal.test_reviews import CALL
    from tools.reviewing import Desk

    key, _ = put(DetectText=CALL)
    (row,) = rows_of(full, key)
    assert row["decision"] == "review" and "text:phone number" in row["codes"]
    desk = Desk.of(full.aws.session(full.foundation["ReviewerRoleArn"]), full.foundation)
    desk.decide(f"s3://{full.bucket}/{key}", "accept", by="arn:test", reason="ours")
    wait_for(lambda: rows_of(full, key)[0]["decision"] == "accept", what="the person's word")
    (row,) = rows_of(full, key)
    assert row["policy_decision"] == "review" and row["reviewed_at"]


@pytest.mark.parametrize("question", QUESTIONS, ids=range(len(QUESTIONS)))
def test_every_question_of_the_page_is_answered(question: str, full: Platform, put: Any) -> None:
    put()
    full.settle()
    today = time.strftime("%Y-%m-%d", time.gmtime())
    found = ask(full, re.sub(r"DATE '2026-\d\d-\d\d'|'2026-\d\d-\d\d'", f"'{today}'", question))
    assert found, question


@pytest.mark.parametrize("sid", ENFORCED)
def test_without_each_statement_rows_wait_and_with_it_they_come(
    sid: str, full: Platform, role: Policy, put: Any
) -> None:
    if sid == "UseKey":
        # The queue cannot even be polled without it.
        with role.without(sid):
            key, _ = put()
            time.sleep(1)
            assert full.waiting(full.results["ImageRowsQueueUrl"]) == 1
    else:
        with role.without(sid):
            key, _ = put()
            wait_for(lambda: full.waiting(full.results["ImageRowsQueueUrl"]) == 1, what="the event")
            time.sleep(0.5)
            assert not ask(full, f"SELECT * FROM images WHERE object_key = '{key}'")
    assert rows_of(full, key)


def test_large_results_need_their_permission(full: Platform, role: Policy, put: Any) -> None:
    from tests.rehearsal.test_all_analyses import crowd

    with role.without("ReadLargeResults"):
        key, _ = put(**crowd())
        time.sleep(0.5)
        assert not ask(full, f"SELECT * FROM images WHERE object_key = '{key}'")
    (row,) = rows_of(full, key)
    assert row["face_count"] == "100"


def test_the_role_has_no_other_statement(role: Policy) -> None:
    accounted = {*ENFORCED, "ReadLargeResults", "TakeRowsBack", "WorkQueue", "WriteLogs"}
    assert role.statements == accounted

"""Everything about an object goes by one command, and nothing about another."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from shared.results import folder_of as folder_of_the_function
from tests.rehearsal.full_picture import SEEN
from tests.rehearsal.platform import FULL, Platform
from tests.rehearsal.test_all_analyses import crowd
from tests.rehearsal.test_reviews import CALL
from tools import erase
from tools.erasing import Eraser, NotErased, folder_of, name_of

numbers = iter(range(90_000, 99_000))


@pytest.fixture
def put(full: Platform, picture: Callable[..., bytes]) -> Callable[..., tuple[str, str]]:
    """Uploads a picture, under a key of its own unless one is given: key and version."""

    def upload(key: str | None = None, **seen: Any) -> tuple[str, str]:
        number = next(numbers)
        key, image = key or f"incoming/erase/{number}.jpg", picture(number)
        full.aws.rekognition.script(image, {**SEEN, **seen})
        version = full.upload(key, image)
        full.record(key, version)
        full.settle()
        return key, version

    return upload


def eraser(full: Platform, *, objects_too: bool) -> Eraser:
    return Eraser.of(full.aws.session(), full.foundation, objects_too=objects_too)


def uri(full: Platform, key: str) -> str:
    return f"s3://{full.bucket}/{key}"


def traces(full: Platform, key: str) -> list[str]:
    """Where the platform's buckets and table still know of an object."""
    s3, found = full.aws.client("s3"), []
    for name in ("ImagesBucketName", "DataBucketName", "ModelsBucketName", "LogBucketName"):
        bucket = full.foundation[name]
        listed = s3.list_object_versions(Bucket=bucket)
        every = (*listed.get("Versions", ()), *listed.get("DeleteMarkers", ()))
        folder = name_of(uri(full, key))
        found += [each["Key"] for each in every if each["Key"] == key or folder in each["Key"]]
    table = full.foundation["ResultsTableName"]
    items = full.aws.client("dynamodb").scan(TableName=table, ConsistentRead=True)["Items"]
    own = (json.dumps(key), json.dumps(uri(full, key)))
    return found + [
        item["sk"]["S"] for item in items if any(each in json.dumps(item) for each in own)
    ]


def test_everything_goes_and_again_nothing_is_left_to_go(full: Platform, put: Any) -> None:
    key, first = put(**crowd())
    _, second = put(key, DetectText=CALL)
    full.aws.client("s3").delete_object(Bucket=full.bucket, Key=key)
    full.settle()
    neighbour, _ = put(f"{key}.copy.jpg")
    assert len(traces(full, key)) >= 11
    gone = eraser(full, objects_too=True).erase(uri(full, key))
    assert len(gone.versions) == 3  # two pictures and a delete marker
    assert {f"version#{first}", f"version#{second}", "current"} == set(gone.records)
    assert len(gone.results) == 5  # large results of one, a row and a blurred copy of each
    assert traces(full, key) == []
    assert not eraser(full, objects_too=True).erase(uri(full, key))
    assert full.item(neighbour, "current")
    assert full.aws.client("s3").head_object(Bucket=full.bucket, Key=neighbour)


def test_without_asking_the_object_itself_stays(full: Platform, put: Any) -> None:
    key, version = put()
    eraser(full, objects_too=False).erase(uri(full, key))
    assert full.items(key) == []
    head = full.aws.client("s3").head_object(Bucket=full.bucket, Key=key)
    assert head["VersionId"] == version


def test_a_quarantined_version_goes_too(full: Platform, put: Any) -> None:
    from tests.rehearsal.platform import REJECTED

    key, version = put(DetectModerationLabels=REJECTED)
    assert full.tags(key, version)
    eraser(full, objects_too=True).erase(uri(full, key))
    assert traces(full, key) == []


def test_an_object_that_is_being_analysed_waits(full: Platform, put: Any) -> None:
    key, version = put()
    table = eraser(full, objects_too=True).table
    place = {"pk": uri(full, key), "sk": f"version#{version}"}
    table.update_item(
        Key=place,
        UpdateExpression="SET #s = :s, lease_until = :l",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": "in_progress", ":l": int(time.time()) + 60},
    )
    with pytest.raises(NotErased, match=r"is being analysed now; try again in \d+ s"):
        eraser(full, objects_too=True).erase(uri(full, key))
    assert full.aws.client("s3").head_object(Bucket=full.bucket, Key=key)
    table.update_item(
        Key=place,
        UpdateExpression="SET lease_until = :l",
        ExpressionAttributeValues={":l": int(time.time()) - 1},
    )
    eraser(full, objects_too=True).erase(uri(full, key))
    assert traces(full, key) == []


def test_the_command_says_what_there_is_before_it_erases(
    full: Platform, put: Any, monkeypatch: Any, capsys: Any
) -> None:
    key, _ = put()
    for name, value in full.aws.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    asked = [uri(full, key), "--environment", str(FULL), "--objects"]
    said = erase.main(asked)
    assert said and "there are: 2 items" in said and "add --yes" in said
    assert traces(full, key)
    assert erase.main([*asked, "--yes"]) is None
    assert "erased: 2 items of the result table, 2 versions of results and copies, 1 versions" in (
        capsys.readouterr().out
    )
    assert traces(full, key) == []
    full.send("{ no event")
    assert erase.main([*asked, "--yes"]) is None
    assert "queue holds 1 messages; if one tells of this object" in capsys.readouterr().out
    dead = full.vision["ImageDeadLetterQueueUrl"]
    full.settle()
    full.aws.client("sqs").purge_queue(QueueUrl=dead)


@pytest.mark.parametrize("address", ["incoming/a.jpg", "s3://bucket", "s3:///key"])
def test_an_address_that_is_none_is_refused(full: Platform, address: str, monkeypatch: Any) -> None:
    for name, value in full.aws.environment().items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    said = erase.main([address, "--environment", str(FULL), "--yes"])
    assert said and "allowed is s3://bucket/key" in said


def test_the_folder_of_large_results_is_the_functions() -> None:
    address = "s3://images/incoming/jane-doe.jpg"
    assert folder_of(address) == folder_of_the_function(address)
    assert "jane" not in folder_of(address)

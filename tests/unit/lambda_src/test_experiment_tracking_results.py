"""What is read of a run's results, and what is said of those that are not there."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from experiment_tracking import results
from experiment_tracking.results import Place, Reader


class Bucket:
    """S3's three operations over a dictionary; what may not be read is named."""

    def __init__(self, objects: dict[str, bytes], denied: tuple[str, ...] = ()) -> None:
        self.objects, self.denied = objects, denied

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key in self.denied or Key not in self.objects:
            # As S3 answers who may not list the whole bucket.
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": Key}}, "GetObject")
        content = self.objects[Key]
        return {
            "ContentLength": len(content),
            "Body": StreamingBody(io.BytesIO(content), len(content)),
        }

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        found = [key for key in sorted(self.objects) if key.startswith(Prefix)][:MaxKeys]
        return {"Contents": [{"Key": key, "Size": len(self.objects[key])} for key in found]}


def archive(**files: bytes) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as packed:
        for name, data in files.items():
            member = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            member.size = len(data)
            packed.addfile(member, io.BytesIO(data))
    return content.getvalue()


def read(bucket: Bucket, evaluation: str = "", plots: str = "") -> results.Results:
    return Reader(bucket).read("s3://b/run/model.tar.gz", evaluation, plots)


def test_training_json_is_found_in_the_archive_beside_the_model() -> None:
    packed = archive(big_csv=b"x" * 100_000, folder__training_json=b'{"rounds": 3}')
    assert read(Bucket({"run/output.tar.gz": packed})).training == {"rounds": 3}


@pytest.mark.parametrize("url", ["s3://b/e/evaluation.json", "s3://b/e", "s3://b/e/"])
def test_an_evaluation_is_named_by_its_file_or_its_folder(url: str) -> None:
    found = read(Bucket({"e/evaluation.json": b'{"rows": 7}'}), evaluation=url)
    assert found.evaluation == {"rows": 7}
    assert found.missing == ()


def test_plots_are_listed_and_not_read() -> None:
    bucket = Bucket({"p/roc.png": b"1", "p/deep/er.png": b"2", "px/other.png": b"3"})
    found = read(bucket, plots="s3://b/p")
    assert found.plots == {
        "roc.png": Place("b", "p/roc.png"),
        "deep/er.png": Place("b", "p/deep/er.png"),
    }


def test_what_is_not_there_is_said() -> None:
    found = read(Bucket({}), evaluation="s3://b/e/evaluation.json", plots="s3://b/p")
    assert found.missing == ("s3://b/e/evaluation.json is not there", "plots: none in s3://b/p")
    assert (found.training, found.evaluation, found.plots) == ({}, {}, {})


def test_what_may_not_be_read_is_an_error() -> None:
    bucket = Bucket({"e/evaluation.json": b"{}"}, denied=("e/evaluation.json",))
    with pytest.raises(ClientError, match="AccessDenied"):
        read(bucket, evaluation="s3://b/e/evaluation.json")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not json", "s3://b/e.json is not JSON"),
        (b"[1]", "is JSON but no object: list"),
        (b"[" * 100_000, "is not JSON"),
        (b"\xff\xfe\x00", "is not JSON"),
    ],
)
def test_a_document_that_is_none_is_refused_with_its_place(content: bytes, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read(Bucket({"e.json": content}), evaluation="s3://b/e.json")


@pytest.mark.parametrize("content", [b"", b"not a tar", archive(training_json=b"{}")[:40]])
def test_an_archive_that_is_none_is_refused_with_its_place(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"s3://b/run/output\.tar\.gz is no tar\.gz"):
        read(Bucket({"run/output.tar.gz": content}))


def test_an_archive_without_training_json_is_fine() -> None:
    assert read(Bucket({"run/output.tar.gz": archive(other_txt=b"x")})).training == {}


def test_what_is_too_large_is_left_out_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "LARGEST_DOCUMENT", 10)
    monkeypatch.setattr(results, "LARGEST_PLOT", 2)
    monkeypatch.setattr(results, "MOST_PLOTS", 2)
    document = json.dumps({"a": "b" * 50}).encode()
    bucket = Bucket(
        {
            "e.json": document,
            "run/output.tar.gz": archive(training_json=document),
            "p/1.png": b"x",
            "p/2.png": b"xxx",
            "p/3.png": b"x",
        }
    )
    found = read(bucket, evaluation="s3://b/e.json", plots="s3://b/p")
    assert list(found.plots) == ["1.png"]
    assert len(found.missing) == 4
    assert "training.json in s3://b/run/output.tar.gz: 59 bytes, read are 10" in found.missing

"""What is made of results, in a stack of a stranger's: rows, blurred copies, native packages."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

import app as sagelens_app
from sagelens import FaceBlur, ImageResults, NativeLayer, SecureBucket, packages
from tests.constructs.conftest import Parts, actions, resources


def surroundings(parts: Parts) -> dict[str, Any]:
    names = ("results", "bus", "encryption_key", "alarm_topic")
    return {**{name: getattr(parts, name) for name in names}, "environment_name": "a-test"}


def rows(stack: cdk.Stack, parts: Parts, **changes: Any) -> ImageResults:
    bucket = SecureBucket(stack, "Data", encryption_key=parts.encryption_key)
    return ImageResults(stack, "Rows", bucket=bucket, **surroundings(parts), **changes)


def test_queries_are_bounded_encrypted_and_have_a_place_of_their_own(
    stack: cdk.Stack, parts: Parts
) -> None:
    rows(stack, parts, most_gb_scanned=0.5)
    group = resources(stack).one("AWS::Athena::WorkGroup")
    chosen = group["WorkGroupConfiguration"]
    assert (group["Name"], chosen["EnforceWorkGroupConfiguration"]) == ("sagelens-a-test", True)
    assert chosen["BytesScannedCutoffPerQuery"] == 500_000_000
    answers = chosen["ResultConfiguration"]
    assert answers["EncryptionConfiguration"]["EncryptionOption"] == "SSE_KMS"
    assert answers["OutputLocation"]["Fn::Join"][1][-1] == "/athena/"


def test_partitions_are_computed(stack: cdk.Stack, parts: Parts) -> None:
    rows(stack, parts)
    found = resources(stack)
    assert not {"AWS::Glue::Crawler", "AWS::Glue::Partition"} & found.types()
    table = found.one("AWS::Glue::Table")
    assert table["DatabaseName"] == "sagelens_a_test"
    parameters = table["TableInput"]["Parameters"]
    assert parameters["projection.enabled"] == "true"
    template = parameters["storage.location.template"]["Fn::Join"][1]
    assert template[-1] == "/results/images/day=${day}/"


def test_whoever_may_ask_may_read_rows_and_nothing_else(stack: cdk.Stack, parts: Parts) -> None:
    role = iam.Role(stack, "Analyst", assumed_by=iam.AccountRootPrincipal())
    rows(stack, parts).grant_query(role)
    (policy,) = resources(stack).of("AWS::IAM::Policy")
    granted = policy["PolicyDocument"]["Statement"]
    assert not {each for each in actions(granted) if each.startswith("dynamodb:")}
    (reading,) = [each for each in granted if each["Sid"] == "ReadRows"]
    ends = sorted(each["Fn::Join"][1][-1] for each in reading["Resource"])
    assert ends == ["/athena/*", "/results/images/*"]


def test_a_bound_that_makes_no_sense_is_refused(stack: cdk.Stack, parts: Parts) -> None:
    with pytest.raises(ValueError, match=r"most_gb_scanned: got 0 GB, allowed are 0\.01 to"):
        rows(stack, parts, most_gb_scanned=0)


def test_copies_never_lie_where_images_are_analysed(stack: cdk.Stack, parts: Parts) -> None:
    with pytest.raises(ValueError, match=r"longest_side: got 9 px.*\ncopies: got the bucket"):
        FaceBlur(
            stack, "Blur", images=parts.bucket, prefix="incoming/", copies=parts.bucket,
            longest_side=9, **surroundings(parts),
        )  # fmt: skip


def test_the_layer_is_named_by_its_lock_file_whatever_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = set()
    for number in range(2):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / str(number)))
        archive = packages.archive_of("face_blur")
        archive.parent.mkdir(parents=True)
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("python/a.py", str(number))
        app = sagelens_app.new_app(outdir=str(tmp_path / f"out-{number}"))
        stack = cdk.Stack(app, "Stranger")
        NativeLayer(stack, "Packages", group="face_blur")
        layer = resources(stack).one("AWS::Lambda::LayerVersion")
        assert layer["CompatibleArchitectures"] == ["arm64"]
        names.add(layer["Content"]["S3Key"])
    assert len(names) == 1


def test_the_archive_holds_what_lambda_needs() -> None:
    names = zipfile.ZipFile(packages.archive_of("face_blur")).namelist()
    assert "python/PIL/Image.py" in names
    (core,) = [name for name in names if name.startswith("python/PIL/_imaging.c")]
    assert "cpython-313-aarch64-linux-gnu" in core


def test_packages_that_are_not_ready_are_said_with_the_command_that_makes_them(
    stack: cdk.Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(ValueError, match=r"are not at .*run `make setup`, or\s+`python -m"):
        NativeLayer(stack, "Packages", group="face_blur")
    with pytest.raises(ValueError, match=r"group: got 'blur', allowed are \['face_blur'\]"):
        NativeLayer(stack, "Others", group="blur")


def test_an_archive_is_the_same_each_time(tmp_path: Path) -> None:
    folder = tmp_path / "python"
    for name in ("b.py", "a/c.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    digests = set()
    for number in range(2):
        (folder / "b.py").touch()
        archive = tmp_path / f"{number}.zip"
        packages._pack(folder, archive)
        digests.add(hashlib.sha256(archive.read_bytes()).hexdigest())
    assert len(digests) == 1

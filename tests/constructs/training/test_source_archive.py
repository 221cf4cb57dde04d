"""The code archive is the same wherever it is made, and lets its readers at nothing else."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import tarfile
from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

import app as sagelens_app
from sagelens import SourceArchive
from sagelens.source_archive import archive, compressed
from tests.constructs.conftest import resources

FOLDER = Path(__file__).parents[3] / "ml_src"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The same code elsewhere: other times, other modes, with bytecode and hidden files."""
    place = tmp_path / "other" / "ml_src"
    shutil.copytree(FOLDER, place)
    for path in place.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o600)
    (place / "churn" / "__pycache__").mkdir(exist_ok=True)
    (place / "churn" / "__pycache__" / "x.cpython-311.pyc").write_bytes(b"bytecode")
    (place / "old.pyc").write_bytes(b"bytecode")
    (place / ".DS_Store").write_bytes(b"hidden")
    return place


def test_two_archives_are_equal_to_the_byte(copied: Path) -> None:
    assert compressed(archive(FOLDER)) == compressed(archive(copied))


def test_another_letter_makes_another_archive(copied: Path) -> None:
    (copied / "churn" / "train.py").write_text("# another\n")
    assert archive(FOLDER) != archive(copied)


def test_the_package_keeps_its_name_and_entry_points_lie_at_the_root() -> None:
    with tarfile.open(fileobj=io.BytesIO(compressed(archive(FOLDER))), mode="r:gz") as opened:
        entries = {entry.name: entry for entry in opened}
        train = opened.extractfile("ml_src/churn/train.py")
        assert train is not None
        assert train.read() == (FOLDER / "churn" / "train.py").read_bytes()
    roots = {name for name in entries if "/" not in name}
    assert roots == {path.name for path in (FOLDER / "entry_points").glob("*.py")}
    assert not [name for name in entries if "__pycache__" in name or name.endswith(".pyc")]
    assert {(one.mode, one.uid, one.gid, one.uname) for one in entries.values()} == {
        (0o644, 0, 0, "")
    }
    # A starter that installs the code packs it into a ZIP, whose time begins with 1980.
    assert {one.mtime for one in entries.values()} == {946_684_800}


def published(folder: Path, outdir: Path) -> tuple[str, bytes]:
    stack = cdk.Stack(sagelens_app.new_app(outdir=str(outdir)), "Stranger")
    source = SourceArchive(stack, "Source", folder=folder)
    cdk.CfnOutput(stack, "Url", value=source.url)
    app = stack.node.root
    assert isinstance(app, cdk.App)
    app.synth()
    (asset,) = outdir.glob("asset.*.tgz")
    assert source.key == asset.name.removeprefix("asset.")
    assert isinstance(stack.resolve(source.url), dict)
    return source.key, asset.read_bytes()


def test_the_asset_is_the_same_from_anywhere(copied: Path, tmp_path: Path) -> None:
    here, there = published(FOLDER, tmp_path / "a"), published(copied, tmp_path / "b")
    assert here == there
    assert gzip.decompress(here[1]) == archive(FOLDER)


def test_readers_get_this_object_only(stack: cdk.Stack) -> None:
    key = kms.Key(stack, "Key")
    source = SourceArchive(stack, "Source", folder=FOLDER, encryption_key=key)
    role = iam.Role(stack, "Role", assumed_by=iam.AccountRootPrincipal())
    source.grant_read(role)
    found = resources(stack).one("AWS::IAM::Policy")["PolicyDocument"]["Statement"]
    assert [(one["Sid"], one["Action"]) for one in found] == [
        ("ReadCode", "s3:GetObject"),
        ("FindCode", "s3:ListBucket"),
        ("DecryptCode", "kms:Decrypt"),
    ]
    assert f"/{source.key}" in str(found[0]["Resource"])
    assert found[1]["Condition"] == {"StringLike": {"s3:prefix": f"{source.key}*"}}


def test_a_folder_without_code_is_refused(stack: cdk.Stack, tmp_path: Path) -> None:
    for folder in (tmp_path / "none", tmp_path):
        with pytest.raises(ValueError, match="allowed is a folder with Python files"):
            SourceArchive(stack, f"Source{folder.name}", folder=folder)

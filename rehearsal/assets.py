# pyright: reportMissingTypeStubs=false
"""File assets of a cloud assembly: packed and uploaded as `cdk deploy` does it."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.environment import ACCOUNT
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal

QUALIFIER = "hnb659fds"  # CDK's default
EPOCH = (1980, 1, 1, 0, 0, 0)


def asset_bucket(aws: Rehearsal) -> str:
    """The name of the bucket that `cdk bootstrap` would make."""
    return f"cdk-{QUALIFIER}-assets-{ACCOUNT}-{aws.region}"


def create_bucket(aws: Rehearsal, name: str) -> None:
    """Make a bucket if it is not there yet."""
    s3 = aws.client("s3")
    try:
        s3.head_bucket(Bucket=name)
    except ClientError:
        more: dict[str, Any] = {}
        if aws.region != "us-east-1":
            more["CreateBucketConfiguration"] = {"LocationConstraint": aws.region}
        s3.create_bucket(Bucket=name, **more)


def publish(aws: Rehearsal, manifest: Path) -> None:
    """Upload the file assets of one asset manifest; what is there already is left alone.

    Raises:
        RehearsalError: it holds container images, which need Docker.
    """
    assets = json.loads(manifest.read_text(encoding="utf-8"))
    if assets.get("dockerImages"):
        raise RehearsalError(f"{manifest.name} holds container images; the rehearsal has no Docker")
    s3 = aws.client("s3")
    for asset in assets.get("files", {}).values():
        source = asset["source"]
        for destination in asset["destinations"].values():
            bucket = _fill(destination["bucketName"], aws.region)
            key = _fill(destination["objectKey"], aws.region)
            create_bucket(aws, bucket)
            if not _exists(s3, bucket, key):
                content = package(manifest.parent / source["path"], source["packaging"])
                s3.put_object(Bucket=bucket, Key=key, Body=content)


def package(path: Path, packaging: str) -> bytes:
    """The bytes of a file asset: as they are, or its folder as a ZIP with no clock in it."""
    if packaging == "file":
        return path.read_bytes()
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(f for f in path.rglob("*") if f.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(path).as_posix(), EPOCH)
            entry.external_attr = (file.stat().st_mode & 0o777) << 16
            archive.writestr(entry, file.read_bytes(), zipfile.ZIP_DEFLATED)
    return content.getvalue()


def _fill(text: str, region: str) -> str:
    for name, value in (("AccountId", ACCOUNT), ("Region", region), ("Partition", "aws")):
        text = text.replace("${AWS::" + name + "}", value)
    return text


def _exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True

# pyright: reportMissingTypeStubs=false
"""A job's data between S3 and its folder, in the name of its role.

Every object goes through the server's ordinary API as a stream: what the role, the bucket's policy
or the key refuses fails the job, in the words that SageMaker uses. Large objects come and go in
parts, so none is held in memory whole by this process's side of the connection.
"""

import gzip
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError

from rehearsal.sagemaker.locations import Location

CHUNK = 1 << 20
PART = 64 << 20  # bytes above which an upload goes in parts of this size
ABREAST = 4


class DownloadError(Exception):
    """Data that could not be fetched; the text is S3's, as SageMaker passes it on."""


class UploadError(Exception):
    """Data that could not be written."""


@dataclass(frozen=True)
class Kept:
    """One object below a prefix."""

    key: str
    size: int
    etag: str


def said(error: ClientError) -> str:
    """An error of S3 as SageMaker's reasons put it: `AccessDenied (403): Access Denied`."""
    response: Any = error.response
    code = response["Error"].get("Code", "Unknown")
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return f"{code} ({status}): {response['Error'].get('Message', '')}"


def listed(s3: Any, source: Location) -> list[Kept]:
    """The objects whose keys begin with a prefix, in order of their keys."""
    pages: Iterator[Any] = s3.get_paginator("list_objects_v2").paginate(
        Bucket=source.bucket, Prefix=source.key
    )
    return [
        Kept(each["Key"], each["Size"], each["ETag"])
        for page in pages
        for each in page.get("Contents", [])
    ]


def download(s3: Any, source: Location, target: Path, *, unpack: bool = False) -> int:
    """Fetch all objects below a prefix, or the one object of that key.

    Keys keep their path below the prefix: `a/b` fetches `a/b/c.csv` as `c.csv`, and `a/bd.csv`,
    which it matches too, as `bd.csv` ("S3DataSource", Amazon SageMaker API Reference). An object
    whose key ends with a slash is a folder.

    Args:
        s3: a client of the role.
        source: the prefix.
        target: the folder.
        unpack: decompress gzip on the way (CompressionType Gzip).

    Returns:
        how many objects there were.

    Raises:
        DownloadError: none matched, or S3 refused.
    """
    target.mkdir(parents=True, exist_ok=True)
    try:
        found = listed(s3, source)
    except ClientError as error:
        raise DownloadError(said(error)) from error
    names = {each.key: _name(each.key, source.key) for each in found if each.key[-1] != "/"}
    if not names:
        raise DownloadError(f"S3 key: {source} matched no files on s3")
    _check_clashes(source, list(names.values()))

    def fetch(key: str) -> None:
        _fetch(s3, source.bucket, key, _inside(target, names[key], source), unpack)

    _each(fetch, list(names))
    return len(names)


def _name(key: str, prefix: str) -> str:
    folder = prefix.rstrip("/") + "/" if prefix else ""
    return key[len(folder) :] if key.startswith(folder) else key[prefix.rfind("/") + 1 :]


def _inside(target: Path, name: str, source: Location) -> Path:
    place = Path(os.path.normpath(target / name))
    if target not in place.parents:
        raise DownloadError(f"S3 key: {source} leads out of its folder: {name!r}")
    return place


def _check_clashes(source: Location, names: list[str]) -> None:
    files = set(names)
    for name in names:
        parts = name.split("/")
        for depth in range(1, len(parts)):
            if "/".join(parts[:depth]) in files:
                raise DownloadError(
                    f"Failed to download data. Cannot download {source}, a previously downloaded "
                    f"file/folder clashes with it. Please check your s3 objects and ensure that "
                    f"there is no object that is both a folder as well as a file."
                )


def _fetch(s3: Any, bucket: str, key: str, place: Path, unpack: bool) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if unpack and place.suffix in (".gz", ".gzip"):
        place = place.with_suffix("")
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"]
        with place.open("wb") as opened, body:
            if unpack:
                with gzip.GzipFile(fileobj=body) as plain:
                    shutil.copyfileobj(plain, opened, CHUNK)
            else:
                for chunk in body.iter_chunks(CHUNK):
                    opened.write(chunk)
    except ClientError as error:
        raise DownloadError(said(error)) from error
    except (gzip.BadGzipFile, EOFError) as error:
        raise DownloadError(f"s3://{bucket}/{key} is not gzip: {error}") from error


def upload(s3: Any, source: Path, target: Location, key: str | None = None) -> int:
    """Write every file below a folder, under its path below it.

    Args:
        s3: a client of the role.
        source: a folder; one that is not there holds nothing.
        target: the prefix.
        key: of AWS KMS, to encrypt with; None leaves it to the bucket.

    Returns:
        how many files there were.
    """
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]

    def send(path: Path) -> None:
        put(s3, path, target.below(path.relative_to(source).as_posix()), key)

    _each(send, files)
    return len(files)


def put(s3: Any, path: Path, target: Location, key: str | None = None) -> None:
    """Write one file, in parts if it is large; UploadError if S3 refuses."""
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
    try:
        with path.open("rb") as opened:
            if path.stat().st_size <= PART:
                place = {"Bucket": target.bucket, "Key": target.key}
                s3.put_object(**place, Body=opened, **encryption)
            else:
                _put_parts(s3, opened, target, encryption)
    except ClientError as error:
        raise UploadError(said(error)) from error


def _put_parts(s3: Any, opened: IO[bytes], target: Location, encryption: dict[str, str]) -> None:
    place = {"Bucket": target.bucket, "Key": target.key}
    started = s3.create_multipart_upload(**place, **encryption)
    place["UploadId"] = started["UploadId"]
    try:
        parts: list[dict[str, Any]] = []
        while chunk := opened.read(PART):
            number = len(parts) + 1
            sent = s3.upload_part(**place, PartNumber=number, Body=chunk)
            parts.append({"PartNumber": number, "ETag": sent["ETag"]})
        s3.complete_multipart_upload(**place, MultipartUpload={"Parts": parts})
    except BaseException:
        s3.abort_multipart_upload(**place)
        raise


def pack(folder: Path, archive: Path) -> int:
    """Make a tar.gz of a folder's contents; return how many files it holds.

    SageMaker packs model and output data so, with paths below the folder. Written straight to the
    archive, at the quickest level.
    """
    files = sorted(folder.rglob("*")) if folder.is_dir() else []
    with (
        archive.open("wb") as opened,
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=opened, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for path in files:
            tar.add(path, path.relative_to(folder).as_posix(), recursive=False)
    return sum(1 for path in files if path.is_file())


def _each(do: Callable[[Any], None], items: list[Any]) -> None:
    """Do something to each, a few at a time; the first error ends it."""
    if len(items) <= 1:
        for item in items:
            do(item)
        return
    with ThreadPoolExecutor(ABREAST) as threads:
        for _ in threads.map(do, items):
            pass

"""Images and manifests in the data bucket."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

from custom_labels_training.manifest import ManifestErrors
from shared.errors import code_of

WORKERS = 32
HEAD = "bytes=0-11"
MOST_BYTES = 15 * 1024 * 1024  # "Guidelines and quotas in Amazon Rekognition Custom Labels"
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_MISSING = frozenset({"NoSuchKey", "NoSuchVersion", "404", "MethodNotAllowed"})
_EMPTY = frozenset({"InvalidRange", "416"})


@dataclass
class Stored:
    """One version of a manifest. digest: SHA-256 of what was read of it so far."""

    s3: Any
    bucket: str
    key: str
    version: str
    digest: Any = field(default_factory=hashlib.sha256)

    @classmethod
    def newest(cls, s3: Any, bucket: str, key: str) -> "Stored":
        """Return the version that is the newest now. Raises ManifestErrors if there is none."""
        try:
            head = s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if code_of(error) in _MISSING:
                raise ManifestErrors(
                    f"nothing was trained: there is no s3://{bucket}/{key}"
                ) from error
            raise
        return cls(s3, bucket, key, head["VersionId"])

    def lines(self) -> Iterator[str]:
        """Yield its lines, of which it never holds more than a few."""
        body = self.s3.get_object(Bucket=self.bucket, Key=self.key, VersionId=self.version)["Body"]
        for line in body.iter_lines():
            self.digest.update(line + b"\n")
            yield line.decode("utf-8", "replace")

    def lineage(self, images: int) -> dict[str, Any]:
        """Return what tells later which manifest this was; `images` is how many it names."""
        return {
            "bucket": self.bucket,
            "key": self.key,
            "version": self.version,
            "sha256": self.digest.hexdigest(),
            "images": images,
        }


def problem_of(s3: Any, bucket: str, key: str) -> str | None:
    """Return what is wrong with an image, by its first bytes and its size; None if nothing is."""
    try:
        answer = s3.get_object(Bucket=bucket, Key=key, Range=HEAD)
    except ClientError as error:
        if code_of(error) in _MISSING:
            return f"there is no object {key!r}"
        if code_of(error) in _EMPTY:
            return f"the object {key!r} is empty"
        raise
    head = answer["Body"].read()
    size = int(answer["ContentRange"].rpartition("/")[2])
    if not head.startswith((JPEG, PNG)):
        return f"the object {key!r} is neither JPEG nor PNG"
    if size > MOST_BYTES:
        return f"the object {key!r} has {size:,} bytes; allowed are {MOST_BYTES:,}"
    return None


def side_by_side(function: Callable[[str], str | None], keys: list[str]) -> Iterable[str | None]:
    """Map a function over keys with many calls at once, in their order."""
    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(function, keys))

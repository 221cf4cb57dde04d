"""S3 locations as SageMaker's requests name them."""

import re
from dataclasses import dataclass

from rehearsal.aws_json import ServiceError

URI = re.compile(r"(?:s3|https)://([^/]+)/?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Location:
    """A bucket and a key or a prefix of keys (without a leading slash)."""

    bucket: str
    key: str

    @classmethod
    def of(cls, uri: str) -> "Location":
        """Read `s3://bucket/key`; ValidationException if it is nothing of the kind."""
        match = URI.fullmatch(uri)
        if match is None or not uri.startswith("s3://"):
            raise ServiceError("ValidationException", f"Invalid S3 URI: {uri}")
        return cls(match[1], match[2])

    def below(self, *parts: str) -> "Location":
        """A key below this one."""
        whole = "/".join([self.key.rstrip("/"), *parts]) if self.key else "/".join(parts)
        return Location(self.bucket, whole)

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

"""A folder of a bucket: where something is read or written."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import aws_s3 as s3


@dataclass(frozen=True, kw_only=True)
class S3Folder:
    """A prefix of a bucket.

    Args:
        bucket: The bucket.
        prefix: What every key in it begins with; ends with ``/``, for example ``mlflow/``.
    """

    bucket: s3.IBucket
    prefix: str

    @property
    def url(self) -> str:
        """``s3://bucket/prefix`` without the last slash, as SageMaker's own examples write it."""
        return f"s3://{self.bucket.bucket_name}/{self.prefix.rstrip('/')}"

    @property
    def objects_arn(self) -> str:
        """The ARN of everything in it, for a policy."""
        return self.bucket.arn_for_objects(f"{self.prefix}*")

    def problem(self) -> str | None:
        """What is wrong with the prefix, if anything is."""
        if self.prefix.endswith("/") and not self.prefix.startswith("/"):
            return None
        return f"prefix: got {self.prefix!r}, allowed is a folder such as 'mlflow/'"

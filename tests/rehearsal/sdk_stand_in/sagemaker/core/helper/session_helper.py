"""sagemaker.core.helper.session_helper."""

from __future__ import annotations

from typing import Any

import boto3


class Session:
    """Holds the client that the pipeline uses."""

    def __init__(
        self,
        default_bucket: str | None = None,
        sagemaker_config: dict[str, Any] | None = None,
    ) -> None:
        """Take the bucket that the SDK would upload to (nothing is uploaded here) and settings."""
        self.default_bucket = default_bucket
        self.sagemaker_config = sagemaker_config
        self.sagemaker_client: Any = boto3.client("sagemaker")

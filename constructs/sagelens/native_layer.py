"""A function's native packages as a Lambda layer."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from . import packages
from .errors import ArgumentErrors


class NativeLayer(lambda_.LayerVersion):
    """The native packages of a group of functions, for Python 3.13 on arm64.

    The archive is made once, by ``python -m sagelens.packages``, from wheels pinned with their
    hashes; synth only reads it. What names it in the template is its lock file's hash, so the
    template is the same on any machine.

    Source: "Working with layers for Python Lambda functions" (AWS Lambda).

    Args:
        scope: The parent construct.
        id: The construct's id.
        group: A group that has a lock file, for example ``face_blur``.

    Raises:
        ValueError: There is no such group, or its archive has not been made.
    """

    def __init__(self, scope: Construct, id: str, *, group: str) -> None:
        errors = ArgumentErrors(f"NativeLayer {scope.node.path}/{id}")
        known = packages.groups()
        errors.require(group in known, f"group: got {group!r}, allowed are {known}")
        errors.throw()
        archive = packages.archive_of(group)
        errors.require(
            archive.exists(),
            f"group: the packages of {group} are not at {archive}; run `make setup`, or "
            "`python -m sagelens.packages`, which downloads them",
        )
        errors.throw()
        super().__init__(
            scope,
            id,
            description=f"Native packages of {group}",
            code=lambda_.Code.from_asset(
                str(archive),
                asset_hash=packages.digest_of(group),
                asset_hash_type=cdk.AssetHashType.CUSTOM,
            ),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_13],
            compatible_architectures=[lambda_.Architecture.ARM_64],
        )

"""The code that runs in SageMaker jobs, as one archive."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3_assets as assets
from constructs import Construct

from .errors import ArgumentErrors

# A starter that installs the code packs it into a ZIP, which knows no time before 1980.
TIME = 946_684_800
"""Each entry's time: the first second of the year 2000, UTC."""

ENTRY_POINTS = "entry_points"
LEFT_OUT = ("__pycache__",)


class SourceArchive(Construct):
    """A folder of code as a deterministic tar.gz (``.tgz``), published as a file asset.

    The same files give the same archive and the same asset on any machine: entries are sorted,
    times, owners and modes are fixed, and the asset's name comes from the content before it is
    compressed. Bytecode and hidden files stay out. The folder keeps its name in the archive
    (``ml_src/``), and the Python files in its ``entry_points`` lie at the archive's root as well,
    which is where a container in script mode looks for the program to start.

    Args:
        scope: The parent construct.
        id: The construct's id.
        folder: The package's folder, such as ``ml_src``.
        encryption_key: Key of the bucket of assets, if the account was bootstrapped with one of
            your own.

    Attributes:
        folder: The package's folder.
        bucket: Name of the bucket that it is published to.
        key: The object's key.
        url: The object's ``s3://`` address.

    Raises:
        ValueError: If the folder is none, or holds no Python file.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        folder: Path,
        encryption_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"SourceArchive {self.node.path}")
        errors.require(
            folder.is_dir() and any(folder.rglob("*.py")),
            f"folder: got {str(folder)!r}, allowed is a folder with Python files",
        )
        errors.throw()
        self.folder = folder
        self._encryption_key = encryption_key
        asset = self._publish(archive(folder))
        self.bucket = asset.s3_bucket_name
        self.key = asset.s3_object_key
        self.url = asset.s3_object_url

    def _publish(self, content: bytes) -> assets.Asset:
        with TemporaryDirectory() as place:
            path = Path(place) / f"{self.folder.name}.tgz"
            path.write_bytes(compressed(content))
            # Compression differs from one zlib to the next; what is compressed does not.
            digest = hashlib.sha256(content).hexdigest()
            return assets.Asset(self, "Asset", path=str(path), asset_hash=digest)

    def text(self, path: str) -> str | None:
        """A file's text, by its path in the archive; None if it is not in it."""
        for name, file in _files(self.folder):
            if str(name) == path:
                return file.read_text(encoding="utf-8")
        return None

    def statements(self) -> list[iam.PolicyStatement]:
        """What reading this object, and no other, takes."""
        bucket = cdk.Stack.of(self).format_arn(
            service="s3", region="", account="", resource=self.bucket
        )
        found = [
            iam.PolicyStatement(
                sid="ReadCode", actions=["s3:GetObject"], resources=[f"{bucket}/{self.key}"]
            ),
            # A job looks for what its input's address begins.
            iam.PolicyStatement(
                sid="FindCode",
                actions=["s3:ListBucket"],
                resources=[bucket],
                conditions={"StringLike": {"s3:prefix": f"{self.key}*"}},
            ),
        ]
        if self._encryption_key:
            found.append(
                iam.PolicyStatement(
                    sid="DecryptCode",
                    actions=["kms:Decrypt"],
                    resources=[self._encryption_key.key_arn],
                )
            )
        return found

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let a principal read this object.

        Args:
            grantee: A role, user or function.
        """
        for statement in self.statements():
            grantee.grant_principal.add_to_principal_policy(statement)


def archive(folder: Path) -> bytes:
    """The archive of a folder before it is compressed."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w", format=tarfile.USTAR_FORMAT) as opened:
        for name, file in sorted(_files(folder)):
            entry = tarfile.TarInfo(str(name))
            entry.size = file.stat().st_size
            entry.mtime, entry.mode = TIME, 0o644
            with file.open("rb") as source:
                opened.addfile(entry, source)
    return content.getvalue()


def compressed(content: bytes) -> bytes:
    """The same compressed, without the time of day."""
    return gzip.compress(content, compresslevel=9, mtime=0)


def _files(folder: Path) -> Iterator[tuple[PurePosixPath, Path]]:
    """Each file to archive, with its name there."""
    root = PurePosixPath(folder.name)
    for file in folder.rglob("*"):
        parts = file.relative_to(folder).parts
        if any(part.startswith(".") or part in LEFT_OUT for part in parts):
            continue
        if not file.is_file() or file.suffix == ".pyc":
            continue
        yield root.joinpath(*parts), file
        if parts[:-1] == (ENTRY_POINTS,) and file.suffix == ".py":
            yield PurePosixPath(parts[-1]), file

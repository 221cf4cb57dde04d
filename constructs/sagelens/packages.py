"""Native packages of functions, made ready by ``make setup`` or ``python -m sagelens.packages``.

A group of functions has a lock file, wheels pinned with their hashes. From it one archive is made
in the form of a Lambda layer ("Packaging layers", AWS Lambda), for Lambda's Python and processor
and not for this machine's, and kept under its lock file's hash. So synth only reads: it needs no
network, and the same lock file gives the same template anywhere.

This file needs the standard library and pip alone, and may be run by its path.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

LOCKS = Path(__file__).parent / "locks"
PYTHON = "3.13"
ARCHITECTURE = "arm64"
# What the wheels may be made for: Amazon Linux 2023, which Python 3.13 runs on, has glibc 2.34.
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_17_aarch64", "manylinux2014_aarch64")
# The earliest that a ZIP file can say: times would make every archive another.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def groups() -> list[str]:
    """The groups of functions that have native packages."""
    return sorted(path.stem for path in LOCKS.glob("*.txt"))


def digest_of(group: str) -> str:
    """A hash of everything that an archive is made of.

    Args:
        group: A group of functions.
    """
    parts = [PYTHON, ARCHITECTURE, *PLATFORMS, (LOCKS / f"{group}.txt").read_text("utf-8")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def archive_of(group: str) -> Path:
    """Where a group's archive is, or will be once it is made.

    Args:
        group: A group of functions.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    name = f"{group}-{ARCHITECTURE}-{digest_of(group)[:16]}.zip"
    return Path(cache) / "sagelens" / "packages" / name


def make(group: str) -> Path:
    """Make a group's archive, if it is not there yet, and return its path.

    Args:
        group: A group of functions.

    Raises:
        subprocess.CalledProcessError: pip found no such wheel, or one with another hash.
    """
    archive = archive_of(group)
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        packages = Path(folder) / "python"
        subprocess.run(_install(group, packages), check=True, stdout=sys.stderr)
        half = Path(folder) / "half.zip"
        _pack(packages, half)
        # At once or not at all: another run may be at it too.
        half.replace(archive)
    return archive


def _install(group: str, target: Path) -> list[str]:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    platforms = [part for name in PLATFORMS for part in ("--platform", name)]
    wheels = ["--python-version", PYTHON, "--implementation", "cp", "--only-binary", ":all:"]
    lock = ["--no-deps", "--no-compile", "--require-hashes", "-r", str(LOCKS / f"{group}.txt")]
    return [*pip, "--target", str(target), *platforms, *wheels, *lock]


def _pack(packages: Path, archive: Path) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(each for each in packages.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(path.relative_to(packages.parent).as_posix(), LONG_AGO)
            entry.external_attr = 0o644 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, path.read_bytes())


if __name__ == "__main__":
    for each in groups():
        print(make(each))

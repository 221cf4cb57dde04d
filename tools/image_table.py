"""Regenerate the table of SageMaker's images from the SageMaker Python SDK.

    python -m venv /tmp/notebook && /tmp/notebook/bin/pip install -r requirements-notebook.txt
    /tmp/notebook/bin/python -m tools.image_table            # writes the table
    /tmp/notebook/bin/python -m tools.image_table --check    # compares it, writes nothing

The SDK is large and stays out of the project's own environment. It is asked for the full address
of each image in each Region of its own tables; nothing calls AWS. To move to another version of
an image, change `IMAGES` and run this again.
"""

import argparse
import json
import os
import re
import sys
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

TABLE = Path(__file__).parents[1] / "constructs/sagelens/algorithms/image_table.json"
ADDRESS = re.compile(r"([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.[a-z0-9.]+/([a-z0-9-]+):(.+)")


class Wanted(NamedTuple):
    """An image that the catalogue uses: the SDK's name for it, the version, and where it lies."""

    framework: str
    version: str
    group: str
    processors: tuple[str, ...] = ("any",)


# A version is the newest that the SDK has for training and for inference alike, so that a model
# is served by what trained it. XGBoost is held at 3.0-5, whose packages the rehearsal pins too.
IMAGES = {
    "kmeans": Wanted("kmeans", "1", "algorithms"),
    "linear-learner": Wanted("linear-learner", "1", "algorithms"),
    "ntm": Wanted("ntm", "1", "algorithms"),
    "pca": Wanted("pca", "1", "algorithms"),
    "pytorch": Wanted("pytorch", "2.6.0", "deep-learning", ("cpu", "gpu")),
    "scikit-learn": Wanted("sklearn", "1.9-0", "frameworks", ("cpu",)),
    "tensorflow": Wanted("tensorflow", "2.19.0", "deep-learning", ("cpu", "gpu")),
    "xgboost": Wanted("xgboost", "3.0-5", "frameworks"),
}
INSTANCE_TYPES = {"cpu": "ml.m5.xlarge", "gpu": "ml.g5.xlarge", "any": "ml.m5.xlarge"}


def main(arguments: list[str]) -> int:
    """Write or compare the table; return 1 if it is to be compared and differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    check = parser.parse_args(arguments).check
    text = json.dumps(generate(), indent=1, sort_keys=True) + "\n"
    if not check:
        TABLE.write_text(text, encoding="utf-8")
        print(f"{TABLE.name}: written")
        return 0
    same = TABLE.read_text(encoding="utf-8") == text
    print(f"{TABLE.name}: {'the same' if same else 'differs; run python -m tools.image_table'}")
    return 0 if same else 1


def generate() -> dict[str, Any]:
    """The table, from the SDK that is installed."""
    accounts: dict[str, dict[str, str]] = {}
    images: dict[str, dict[str, Any]] = {}
    for key, wanted in IMAGES.items():
        images[key] = {}
        for purpose in ("training", "inference"):
            row, registries = _row(wanted, purpose)
            group = wanted.group
            if accounts.setdefault(group, registries) != registries:
                group = f"{group}-{purpose}"
            if accounts.setdefault(group, registries) != registries:
                raise SystemExit(f"{key} {purpose}: its registries are neither of group {group}")
            row["accounts"] = group
            images[key][purpose] = row
    packages = ("sagemaker", "sagemaker-core")
    return {
        "accounts": accounts,
        "images": images,
        "monitor": _monitor(),
        "sdk": {package: metadata.version(package) for package in packages},
    }


def _monitor() -> dict[str, Any]:
    """Model Monitor's image, which has no tag."""
    (version,) = _image_uris().config_for_framework("model-monitor")["versions"].values()
    return {"accounts": version["registries"], "repository": version["repository"]}


def _row(wanted: Wanted, purpose: str) -> tuple[dict[str, Any], dict[str, str]]:
    """One image and its registry accounts by Region."""
    repositories: set[str] = set()
    tags: dict[str, str] = {}
    registries: dict[str, str] = {}
    for region in _regions(wanted, purpose):
        for processor in wanted.processors:
            account, repository, tag = _ask(wanted, purpose, region, processor)
            if tags.setdefault(processor, tag) != tag:
                raise SystemExit(f"{wanted.framework}: {region} has tag {tag}, others {tags}")
            repositories.add(repository)
            registries[region] = account
    (repository,) = repositories
    return {"repository": repository, "tags": tags, "version": wanted.version}, registries


def _ask(wanted: Wanted, purpose: str, region: str, processor: str) -> tuple[str, str, str]:
    """Account, repository and tag, from the SDK's own address."""
    address = _image_uris().retrieve(
        wanted.framework,
        region,
        version=wanted.version,
        image_scope=purpose,
        instance_type=INSTANCE_TYPES[processor],
    )
    found = ADDRESS.fullmatch(address)
    if found is None or found[2] != region:
        raise SystemExit(f"{wanted.framework} in {region}: cannot read the address {address}")
    return found[1], found[3], found[4]


def _regions(wanted: Wanted, purpose: str) -> list[str]:
    """The Regions of an image in the SDK's tables."""
    config = _image_uris().config_for_framework(wanted.framework)
    versions = config.get(purpose, config)["versions"]
    return sorted(versions[wanted.version]["registries"])


def _image_uris() -> Any:
    """The SDK's module, imported late: it is not installed where the tests run."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # it makes a session at import
    from sagemaker.core import image_uris  # type: ignore[import-not-found]

    return image_uris


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

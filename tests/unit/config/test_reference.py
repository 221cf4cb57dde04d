"""The generated schema and page: up to date, and the schema agrees with the loader."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from cfnlint.jsonschema import StandardValidator

from config import reference
from config.analyses import ANALYSES, QUOTAS, Analyses
from config.base import Section
from config.vision import VisionSettings
from config.words import schema

FILES = sorted(Path(reference.ENVIRONMENTS).glob("*.yaml"))


def complaints(data: Any) -> list[str]:
    """Return what the committed schema finds wrong."""
    found = StandardValidator(json.loads(reference.SCHEMA.read_text())).iter_errors(data)
    return [error.message for error in found]


def test_both_are_up_to_date() -> None:
    assert reference.main(["--check"]) == 0


def test_a_stale_file_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stale = tmp_path / "environment.schema.json"
    shutil.copy(reference.SCHEMA, stale)
    stale.write_text(stale.read_text() + " ")
    monkeypatch.setattr(reference, "SCHEMA", stale)
    monkeypatch.setattr(reference, "ROOT", tmp_path)
    monkeypatch.setattr(reference, "PAGE", tmp_path / "docs" / "configuration.md")
    assert reference.main(["--check"]) == 1
    assert reference.main([]) == 0
    assert reference.main(["--check"]) == 0


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_environment_names_the_schema_and_fits_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=../environment.schema.json\n")
    assert complaints(yaml.safe_load(text)) == []


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"name": "Dev"},
        {"name": "x", "nmae": "y"},
        {"name": "x", "account": 123456789012},
        {"name": "x", "protect_data": "true"},
        {"name": "x", "log_retention_days": 31},
        {"name": "x", "tags": {"aws:a": "b"}},
        {"name": "x", "tags": {"a": 1}},
        {"name": "x", "network": {"cidr": "10.0.0.0/8"}},
        {"name": "x", "security": {"role_path": "sagelens"}},
        {"name": "x", "vision": {"prefix": "incoming"}},
        {"name": "x", "vision": {"analyses": {"modration": {}}}},
        {"name": "x", "vision": {"analyses": {"moderation": None}}},
        {"name": "x", "vision": {"analyses": {"custom_labels": {}}}},
        {"name": "x", "vision": {"analyses": {"faces": {"store": "everything"}}}},
        {"name": "x", "vision": {"analyses": {"text": {"regions": [[0, 0, 1]]}}}},
        {"name": "x", "vision": {"quotas": {"DetectModeration": 5}}},
        {"name": "x", "vision": {"queue": {"max_receives": 4}}},
        {"name": "x", "vision": {"policy": {"moderation": {"Alcohol": {"accept": [0, 100]}}}}},
        {"name": "x", "vision": {"policy": {"moderation": {"*": {"accept": [0]}}}}},
        {"name": "x", "vision": {"policy": {"moderation": {"*": {"deny": [0, 100]}}}}},
    ],
    ids=json.dumps,
)
def test_the_schema_refuses(data: Any) -> None:
    assert complaints(data)


def test_no_private_keyword_is_left_in_the_schema() -> None:
    assert '"x-' not in reference.schema_text()


def sections(model: type[Section]) -> list[type[Section]]:
    """Return every section of the configuration."""
    return [model, *(found for child in model.__subclasses__() for found in sections(child))]


def test_every_field_is_described_and_on_the_page() -> None:
    page = reference.PAGE.read_text(encoding="utf-8")
    for model in sections(Section):
        for name, field in model.model_fields.items():
            assert field.description, f"{model.__name__}.{name}"
            assert f"| `{name}` |" in page, f"{model.__name__}.{name}"


def test_every_definition_of_the_schema_is_closed() -> None:
    definitions = [schema(), *schema()["$defs"].values()]
    assert all(one["additionalProperties"] is False for one in definitions)
    assert schema()["required"] == ["name"]


def test_an_analysis_needs_nothing_but_its_class_and_its_field() -> None:
    """Names, quotas and policies follow from the fields of `Analyses`."""
    assert list(ANALYSES) == list(Analyses.model_fields)
    assert set(QUOTAS) == {name for one in ANALYSES.values() for name in one.quotas}
    assert dict(VisionSettings().quotas) == dict(QUOTAS)

"""What of the retail section is refused, in which words; and what it takes by default."""

from __future__ import annotations

from pathlib import Path

import pytest

import config
from tests.unit.config.conftest import RefusedOnce

MODEL = "arn:aws:rekognition:eu-west-1:123456789012:project/shelves/version/v1/1700000000000"
HOSTED = """
training:
  models:
    demand: {algorithm: xgboost-script, data_prefix: sales/, gate: {metric: a.b, at_least: 0.1}}
hosting:
  models:
    demand: {smoke_test: {answer_path: "$.a"}}
"""


def shelves(text: str, more: str = "") -> str:
    own = f"  model: {MODEL}\n  ordering: {{endpoint: demand}}\n{text}"
    return f"name: shop\n{more}retail:\n{own}{HOSTED}"


CASES = {
    "prefix within vision's": (
        shelves("  prefix: incoming/shelves/\n"),
        "5",
        "retail.prefix:",
        "vision.prefix (incoming/) hold each other",
    ),
    "endpoint that is not hosted": (
        f"name: shop\nretail:\n  model: {MODEL}\n  ordering: {{endpoint: deman}}\n{HOSTED}",
        "4",
        "retail.ordering.endpoint:",
        "did you mean demand?",
    ),
    "model of another Region": (
        shelves("", "region: us-east-1\n"),
        "4",
        "retail.model:",
        "is a model in eu-west-1, but images are analysed in us-east-1",
    ),
    "name without a model": (
        shelves("").replace(MODEL, "shelf"),
        "3",
        "retail.model:",
        "is no model of custom_models",
    ),
    "confidence that is not asked for": (
        shelves("  counting: {minimum_confidence: 40}\n"),
        "5",
        "retail.counting.minimum_confidence:",
        "is below doubtful_confidence (50)",
    ),
    "a product's confidence that is not asked for": (
        shelves("  counting: {products: {cola: 45}}\n"),
        "5",
        "retail.counting.products.cola:",
        "a number from 50 to 100",
    ),
    "overlap of whole shelves": (
        shelves("  counting: {pictures: repeated, overlap: 0.1}\n"),
        "5",
        "retail.counting.overlap:",
        "has no meaning where each picture shows the whole shelf",
    ),
    "overlap of more than half": (
        shelves("  counting: {overlap: 0.6}\n"),
        "5",
        "retail.counting.overlap:",
    ),
    "quota of another operation": (
        shelves("  quotas: {DetectText: 5}\n"),
        "5",
        "retail.quotas.DetectText:",
        "DetectCustomLabels, DetectLabels",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_in_words(case: str, refused_once: RefusedOnce) -> None:
    text, line, *parts = CASES[case]
    refused_once(text, line, *parts)


def test_defaults(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(shelves(""))
    retail = config.load(path).retail
    assert retail is not None and not retail.by_name()
    assert (retail.prefix, retail.counting.minimum_confidence) == ("shelves/", 70)
    assert retail.quotas == {"DetectCustomLabels": 5, "DetectLabels": 5}


def test_no_retail_by_default(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text("name: shop\n")
    assert config.load(path).retail is None

"""What MLflow gets to see of a run's documents."""

from __future__ import annotations

import math
from typing import Any

import pytest

from experiment_tracking import flatten


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("validation:auc", "validation/auc"),
        ("a b-c_d.e", "a b-c_d.e"),
        ("präzision (%)", "pr_zision ___"),
        ("../../etc", "etc"),
        ("/a//b/", "a/b"),
        ("..", "_"),
        ("", "_"),
        ("x" * 300, "x" * 250),
    ],
)
def test_names_are_ones_that_mlflow_keeps(given: str, kept: str) -> None:
    assert flatten.name(given) == kept


def test_numbers_are_named_by_their_path_and_lists_are_left_out() -> None:
    document: dict[str, Any] = {
        "version": 1,
        "rows": 704,
        "binary_classification_metrics": {
            "auc": {"value": 0.84, "standard_deviation": "NaN"},
            "confusion_matrix": {"0": {"0": 400, "1": 30}},
            "curve": {"xs": [0.1, 0.2]},
        },
        "good": True,
        "nothing": None,
        "huge": 10**400,
        "broken": math.nan,
    }
    assert flatten.numbers(document, "evaluation/") == {
        "evaluation/rows": 704,
        "evaluation/binary_classification_metrics.auc": 0.84,
        "evaluation/binary_classification_metrics.confusion_matrix.0.0": 400,
        "evaluation/binary_classification_metrics.confusion_matrix.0.1": 30,
    }


def test_parameters_are_texts_that_fit() -> None:
    found = flatten.texts(
        {
            "eta": 0.2,
            "rules": "",
            "none": None,
            "tree": {"depth": 5},
            "s": "x" * 9000,
        }
    )
    assert found == {"eta": "0.2", "tree.depth": "5", "s": "x" * 6000}


def test_the_course_has_a_point_for_each_metric_of_each_round() -> None:
    rounds = [{"train:logloss": 0.6, "validation:auc": 0.7}, {"train:logloss": 0.5, "x": "NaN"}]
    assert flatten.course(rounds) == [
        ("train/logloss", 0, 0.6),
        ("validation/auc", 0, 0.7),
        ("train/logloss", 1, 0.5),
    ]


@pytest.mark.parametrize("given", [None, "text", 5, {"a": 1}, [1, "two", None]])
def test_what_is_no_course_gives_no_points(given: object) -> None:
    assert flatten.course(given) == []


def test_a_long_course_is_thinned_and_keeps_its_ends() -> None:
    rounds = [{"a": float(step), "b": 0.0} for step in range(100_000)]
    points = flatten.course(rounds)
    steps = [step for name, step, _ in points if name == "a"]
    assert len(points) <= flatten.MOST_POINTS
    assert (steps[0], steps[-1]) == (0, 99_999)
    assert steps == sorted(set(steps))

"""The whole chain: what is learnt, that nothing leaks, and what evaluation says of it."""

from __future__ import annotations

import csv
import json
import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ml_src.replenishment import artifact, decisions, evaluate, generate, prepare, sales, train
from ml_src.replenishment.features import COLUMNS, EXPECTED, Encoder, units
from ml_src.replenishment.schema import HISTORY_DAYS, QUANTILES, REVIEW_DAYS
from ml_src.shared import matrix
from ml_src.shared.failure import JobError
from ml_src.shared.tables import Problems
from tests.unit.ml_src.replenishment.conftest import Chain, arguments

METRICS = Path(train.__file__).with_name("metric_definitions.json")


def table(sold: Chain) -> sales.Sales:
    return sales.read([sold.table], Problems())


def test_the_model_beats_the_base_line_that_has_quantiles_too(sold: Chain) -> None:
    found = json.loads((sold.evaluated / "evaluation/evaluation.json").read_text())
    metrics = {name: each["value"] for name, each in found["regression_metrics"].items()}
    assert 0.08 < metrics["pinball_improvement"] < 0.3
    assert found["model"]["pinball"] < found["base_line"]["pinball"]
    improvement = 1 - found["model"]["pinball"] / found["base_line"]["pinball"]
    assert metrics["pinball_improvement"] == pytest.approx(improvement)
    assert found["model"]["wape"] < found["base_line"]["wape"] < 0.25
    assert metrics["r2"] > 0.85
    # Without any knowledge but its own errors the base line's quantiles hold, too.
    for nominal, share in found["base_line"]["coverage"].items():
        assert share == pytest.approx(float(nominal), abs=0.06)


def test_for_the_same_stock_more_is_served(sold: Chain) -> None:
    service = sold.evaluation["service"]
    ours, theirs = service["model"], service["base_line_at_equal_stock"]
    assert ours["stock"] == pytest.approx(theirs["stock"])
    assert theirs["fill"] < ours["fill"] and theirs["cycle"] < ours["cycle"]
    assert ours["cycle"] == pytest.approx(service["level"], abs=0.06)


def test_quantiles_hold_for_what_people_wanted_though_shelves_ran_empty(sold: Chain) -> None:
    """The generator knows what the table does not: demand on days that were sold out."""
    booster, encoder = artifact.load(sold.model)
    read = table(sold)
    first = round(0.85 * read.days)
    chosen = decisions.decisions(read, first, read.days, 10_000, 1)
    asked = decisions.windows(read, chosen)
    features = encoder.transform(asked)
    foretold = units(booster.inplace_predict(features), features)
    wanted = np.array(
        [
            sold.world.wanted[series, day : day + lead + REVIEW_DAYS].sum()
            for series, day, lead in zip(chosen.series, chosen.day, chosen.lead, strict=True)
        ]
    )
    assert sold.preparation["sold_out_days"] > 400
    shares = (wanted[:, None] <= foretold).mean(axis=0)
    assert shares == pytest.approx(QUANTILES, abs=0.07)


def test_quantiles_never_cross_nor_fall_below_nothing() -> None:
    shares = np.array([[0.5, 0.4, -0.1, 0.9, 0.8, 1.2]], np.float32)
    features = np.zeros((1, len(COLUMNS)), np.float32)
    features[:, EXPECTED] = 10
    assert units(shares, features)[0] == pytest.approx([0, 4, 5, 8, 9, 12])


def test_sides_follow_each_other_and_none_sees_anothers_demand(sold: Chain) -> None:
    read = table(sold)
    sides = sold.preparation["sides"]
    for before, after in (("train", "validation"), ("validation", "test")):
        assert date.fromisoformat(sides[before]["last_day"]) < date.fromisoformat(
            sides[after]["first_day"]
        )
    end = round(0.7 * read.days)
    chosen = decisions.decisions(read, 0, end, 10**9, 1)
    assert int(chosen.day.min()) == HISTORY_DAYS
    assert int((chosen.day + chosen.lead + REVIEW_DAYS).max()) == end


def test_the_past_alone_makes_the_features(sold: Chain) -> None:
    """Whatever sales are from the decision on: no feature changes, but for planned promotions."""
    read = table(sold)
    encoder = artifact.load(sold.model)[1]
    day = 200
    chosen = decisions.decisions(read, day, day + 20, 10**9, 1)
    chosen = chosen.take(chosen.day == day)
    before = encoder.transform(decisions.windows(read, chosen))
    read.sales[:, day:] = 999
    read.stock[:, day:] = 0
    after = encoder.transform(decisions.windows(read, chosen))
    assert len(before) > 30 and (before == after).all()
    read.sales[:, day - 1] = 999
    assert (encoder.transform(decisions.windows(read, chosen)) != after).any()


def test_profiles_are_learnt_from_the_training_days_alone(sold: Chain, tmp_path: Path) -> None:
    with sold.table.open() as file:
        rows = list(csv.reader(file))
    last = sold.preparation["sides"]["train"]["last_day"]
    changed = [row if row[0] <= last else [*row[:3], "0", *row[4:]] for row in rows[1:]]
    with (tmp_path / "sales.csv").open("w", newline="") as file:
        csv.writer(file).writerows([rows[0], *changed])
    prepare.prepare(tmp_path / "sales.csv", tmp_path, prepare.Settings())
    for name in ("encoder/encoder.json", "train/train.csv", "baseline/statistics.json"):
        assert (tmp_path / name).read_bytes() == (sold.prepared / name).read_bytes(), name


def test_a_shuffled_future_is_foretold_no_better_than_by_the_base_line(
    sold: Chain, tmp_path: Path
) -> None:
    """Were anything of the label to leak into the features, this would find it."""
    chance = np.random.default_rng(3)
    for side in ("train", "validation", "test"):
        features, labels = matrix.read(sold.prepared / side, len(COLUMNS))
        rows = np.column_stack([chance.permutation(labels), features])
        (tmp_path / side).mkdir()
        np.savetxt(tmp_path / side / f"{side}.csv", rows, delimiter=",", fmt="%.9g")
    (tmp_path / "encoder").symlink_to(sold.prepared / "encoder")
    train.train(train.parse(arguments(tmp_path, tmp_path, "--num_round=20")))
    booster = artifact.load(tmp_path / "model")[0]
    features, labels = matrix.read(tmp_path / "test", len(COLUMNS))
    median = booster.inplace_predict(features)[:, QUANTILES.index(0.5)]
    error = np.abs(labels - median).mean()
    constant = np.abs(labels - np.median(labels)).mean()
    assert error > 0.97 * constant


def test_what_the_product_sells_like_is_found(sold: Chain) -> None:
    """Profiles against the generator's own shapes and lifts."""
    profiles = Encoder.from_text((sold.prepared / "encoder/encoder.json").read_bytes()).products
    assert set(profiles) == set(sold.world.products)
    for code, name in enumerate(sold.world.products):
        wanted = sold.world.wanted[sold.world.product == code]
        promoted = sold.world.promotions[sold.world.product == code] > 0
        days = np.arange(wanted.shape[1]) % 7
        plain = np.where(promoted, np.nan, wanted)
        means = np.array([np.nanmean(plain[:, days == day]) for day in range(7)])
        assert profiles[name].weekdays == pytest.approx(means / means.mean(), abs=0.2)
        lift = wanted[promoted].mean() / wanted[~promoted].mean()
        assert profiles[name].promotion == pytest.approx(lift, rel=0.3)


def test_each_rounds_line_is_read_by_the_metric_definitions(
    sold: Chain, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = train.train(train.parse(arguments(sold.prepared, tmp_path, "--num_round=5")))
    printed = capfd.readouterr().out
    for name, expression in json.loads(METRICS.read_text()).items():
        found = [float(value) for value in re.findall(expression, printed)]
        assert found == pytest.approx([past[name] for past in report["course"]], abs=1e-6), name
    assert sold.training["violations"] == []


def test_a_resumed_training_equals_an_uninterrupted_one(sold: Chain, tmp_path: Path) -> None:
    options = ["--checkpoint_every=6", "--early_stopping_rounds=0"]
    (tmp_path / "parts").mkdir()
    whole = arguments(sold.prepared, tmp_path, *options, "--num_round=15")
    train.train(train.parse(whole))
    for rounds in (8, 15):
        again = arguments(sold.prepared, tmp_path / "parts", *options, f"--num_round={rounds}")
        train.train(train.parse(again))
    names = [path.name for path in sorted((tmp_path / "parts/checkpoints").iterdir())]
    assert names == ["replenishment-checkpoint.12.json", "replenishment-checkpoint.6.json"]
    one, other = (
        (folder / "model" / artifact.MODEL).read_bytes()
        for folder in (tmp_path, tmp_path / "parts")
    )
    assert one == other


def test_reports_plots_and_explanation(sold: Chain, tmp_path: Path) -> None:
    found = json.loads((sold.evaluated / "evaluation/predictions.json").read_text())
    assert (found["threshold"], found["quality"], found["groups"]) == (None, {}, {})
    assert sum(found["histogram"]["counts"]) == found["rows"] == sold.evaluation["rows"]
    analysis = json.loads((sold.evaluated / "explainability/analysis.json").read_text())
    strengths = analysis["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    assert set(strengths) == set(COLUMNS)
    booster, _ = artifact.load(sold.model)
    features, _ = matrix.read(sold.prepared / "test", len(COLUMNS))
    explained = evaluate.explain(booster, features[:200])
    sums = explained.contributions.sum(axis=1) + explained.expected
    median = booster.inplace_predict(features[:200])[:, QUANTILES.index(0.5)]
    assert sums == pytest.approx(median, abs=1e-4)
    plots = {path.stem: path for path in (sold.evaluated / "plots").iterdir()}
    assert set(plots) == {"coverage", "pinball", "forecast", "service", "shap"}
    for path in plots.values():
        with Image.open(path) as picture:
            assert picture.format == "PNG" and picture.width >= 700
    sides = (sold.prepared / "validation", sold.prepared / "test")
    evaluate.evaluate(sold.model, *sides, tmp_path)
    for path in sold.evaluated.rglob("*.*"):
        assert (tmp_path / path.relative_to(sold.evaluated)).read_bytes() == path.read_bytes()


def test_scripts_say_what_they_did(
    sold: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare.run([f"--input={sold.table}", f"--output={tmp_path}", "--most-rows=1000"])
    said = capsys.readouterr().out
    found = re.search(r"prepared rows=20160 left_out=0 train=(\d+)", said)
    assert found and 500 < int(found[1]) <= 1000
    sides = [f"--{side}={sold.prepared / side}" for side in ("validation", "test")]
    evaluate.run([f"--model={sold.model}", *sides, f"--output={tmp_path}"])
    assert "pinball_improvement=0." in capsys.readouterr().out


def test_a_side_without_demand(sold: Chain, tmp_path: Path) -> None:
    (tmp_path / "test.csv").write_text(",".join(["0"] * (1 + len(COLUMNS))) + "\n")
    with pytest.raises(JobError, match="nothing was wanted in any of its 1 decisions"):
        evaluate.evaluate(sold.model, sold.prepared / "validation", tmp_path, tmp_path)


def test_a_seed_fixes_the_world(tmp_path: Path) -> None:
    texts = []
    for seed in (1, 1, 2):
        path = tmp_path / f"{seed}.csv"
        generate.main(f"--stores 2 --products 14 --days 40 --seed {seed} --output {path}".split())
        texts.append(path.read_text())
    assert texts[0] == texts[1] != texts[2]
    assert len(texts[0].splitlines()) == 1 + 2 * 14 * 40
    with pytest.raises(SystemExit):
        generate.main(["--stores", "0", "--output", str(tmp_path / "x.csv")])

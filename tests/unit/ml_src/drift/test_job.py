"""The whole job: from the files of a capture to figures, metrics and page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ml_src.churn import inference
from ml_src.churn.schema import INPUTS
from ml_src.shared.drift import job
from ml_src.shared.failure import JobError
from tests.unit.ml_src.conftest import Chain
from tests.unit.ml_src.drift import support

ROOT = Path(__file__).parents[4]
TENURE, CONTRACT = INPUTS.index("tenure"), INPUTS.index("Contract")
ADAPTER = "ml_src.churn.capture"
Asked = list[tuple[list[str], str]]
Steady = tuple[Path, dict[str, Any]]


def answers(chain: Chain, rows: list[list[str]]) -> list[float]:
    model = inference.model_fn(str(chain.model))
    body = "\n".join(",".join(cells) for cells in rows)
    return inference.predict_fn(inference.input_fn(body, "text/csv"), model).tolist()


def labels(folder: Path, given: list[str]) -> Path:
    folder.mkdir()
    lines = [f"event-{number},{label}" for number, label in enumerate(given)]
    (folder / "labels.csv").write_text("\n".join(["inference_id,label", *lines]))
    return folder


def run(captured: Path, baseline: Path, output: Path, *more: str) -> dict[str, Any]:
    folders = {"captured": captured, "baseline": baseline, "output": output}
    words = [f"--{name}={folder}" for name, folder in folders.items()]
    job.run([*words, f"--adapter={ADAPTER}", *more])
    return json.loads((output / "drift.json").read_text())


@pytest.fixture(scope="module")
def asked(chain: Chain) -> Asked:
    """1,500 customers of another draw than the training's."""
    return list(support.customers(1500, seed=77))


@pytest.fixture(scope="module")
def steady(
    chain: Chain, asked: Asked, lived: Path, tmp_path_factory: pytest.TempPathFactory
) -> Steady:
    """Requests like the training's rows, and what the job says of them."""
    root = tmp_path_factory.mktemp("steady")
    rows = [cells for cells, _ in asked]
    captured = support.write(root / "captured", support.requests(rows, answers(chain, rows)))
    late = labels(root / "labels", [label for _, label in asked])
    more = (f"--labels={late}", "--groups", "gender", "SeniorCitizen=1")
    return root, run(captured, lived, root / "out", *more)


def test_steady(steady: Steady) -> None:
    root, report = steady
    assert report["status"] == "steady" and report["reasons"] == [] and report["warnings"] == []
    assert report["summary"] == "Nothing has drifted in 1,500 rows of 1,500 requests."
    assert report["labels"]["matched"] == report["quality"]["rows"] == 1500
    assert len(report["features"]) == 19
    assert [group["facet"] for group in report["groups"]] == ["gender", "SeniorCitizen"]
    published = json.loads((root / "out/metrics.json").read_text())
    verdict = {"MetricName": "DriftDetected", "Value": 0, "Unit": "None", "Dimensions": []}
    assert published[0] == verdict


def test_the_very_customers_of_the_training(chain: Chain, lived: Path, tmp_path: Path) -> None:
    """Evaluation saw encoded rows, the capture holds whole customers: both must agree."""
    rows = list(support.customers(7043, seed=1))
    cells = [row for row, _ in rows]
    captured = support.write(tmp_path / "c", support.requests(cells, answers(chain, cells)))
    late = labels(tmp_path / "labels", [label for _, label in rows])
    more = (f"--labels={late}", "--groups", "SeniorCitizen=1")
    report = run(captured, lived, tmp_path / "out", *more)
    assert report["status"] == "steady"
    for found in report["features"]:
        assert found["psi"] < 0.01  # four fifths of these rows are the baseline
    sides = chain.preparation["sides"].values()
    assert sum(side["rows"] for side in sides) == report["requests"]["rows"]
    assert abs(report["quality"]["auc"]["worse_by"]) < 0.05
    (seniors,) = report["groups"]
    assert seniors["rows"] > seniors["baseline"]["rows"] > 50


def test_drifted(chain: Chain, asked: Asked, lived: Path, tmp_path: Path) -> None:
    rows = [list(cells) for cells, _ in asked]
    for number, cells in enumerate(rows):
        cells[TENURE] = str(int(cells[TENURE]) % 6)
        if number % 5 == 0:
            cells[CONTRACT] = "<b>Five & year</b>"
    captured = support.write(tmp_path / "c", support.requests(rows, answers(chain, rows)))
    more = ("--dimensions", "Endpoint=churn", "Variant=live")
    report = run(captured, lived, tmp_path / "out", *more)
    assert report["status"] == "drifted"
    assert report["summary"].startswith("Drifted: ")
    first = report["features"][0]
    assert first["name"] == "tenure" and first["drifted"] and first["psi"] > 1
    assert any(reason.startswith("tenure: PSI ") for reason in report["reasons"])
    unseen = next(found for found in report["features"] if found["name"] == "Contract")["unseen"]
    assert unseen["rows"] == 300 and unseen["values"] == {"<b>Five & year</b>": 300}
    published = json.loads((tmp_path / "out/metrics.json").read_text())
    assert published[0]["Value"] == 1
    assert published[0]["Dimensions"][1] == {"Name": "Variant", "Value": "live"}
    page = (tmp_path / "out/report.html").read_text()
    assert "&lt;b&gt;Five &amp; year" in page and "<b>Five" not in page


def test_the_page_is_one_file_with_pictures_for_light_and_dark(steady: Steady) -> None:
    page = (steady[0] / "out/report.html").read_text()
    addresses = re.findall(r'(?:src|srcset|href)="([^"]{0,30})', page)
    assert len(addresses) >= 8 and len(addresses) % 2 == 0
    assert all(address.startswith("data:image/png;base64,iVBOR") for address in addresses)
    dark = page.count('media="(prefers-color-scheme: dark)"')
    assert dark == len(addresses) / 2
    assert "<script" not in page and "default-src 'none'" in page
    assert "Steady" in page and "AUC on late labels" in page
    places = [page.index(f"<b>{found['name']}</b>") for found in steady[1]["features"]]
    assert places == sorted(places)
    assert len(page) < 1_500_000


def test_the_same_requests_give_the_same_bytes(steady: Steady, lived: Path, tmp_path: Path) -> None:
    root = steady[0]
    more = (f"--labels={root / 'labels'}", "--groups", "gender", "SeniorCitizen=1")
    run(root / "captured", lived, tmp_path, *more)
    for name in ("drift.json", "metrics.json", "report.html"):
        assert (tmp_path / name).read_bytes() == (root / "out" / name).read_bytes()


def test_nothing_captured_is_an_outcome(lived: Path, tmp_path: Path) -> None:
    (tmp_path / "captured").mkdir()
    report = run(tmp_path / "captured", lived, tmp_path / "out", "--groups", "gender")
    assert report["status"] == "no_data" and report["features"] == []
    assert report["summary"] == "Nothing to compare: no request."
    published = json.loads((tmp_path / "out/metrics.json").read_text())
    assert [metric["MetricName"] for metric in published] == ["CapturedRows"]
    assert "No data" in (tmp_path / "out/report.html").read_text()


def test_only_refused_requests_are_an_outcome_too(lived: Path, tmp_path: Path) -> None:
    line = support.record(support.side("1,2,3"), support.side("x"), "event")
    report = run(support.write(tmp_path / "c", [line] * 3), lived, tmp_path / "out")
    assert report["status"] == "no_data"
    assert "3 captured lines, none of them usable" in report["summary"]
    assert report["warnings"][0].startswith("100.0% of the captured lines are refused requests")


def test_too_few_rows_give_no_verdict(asked: Asked, lived: Path, tmp_path: Path) -> None:
    rows = [["x", *cells[1:]] for cells, _ in asked[:99]]  # drift as plain as can be
    captured = support.write(tmp_path / "c", support.requests(rows))
    report = run(captured, lived, tmp_path / "a")
    assert report["status"] == "too_few" and "99 rows were captured" in report["summary"]
    assert "Too few rows" in (tmp_path / "a/report.html").read_text()
    report = run(captured, lived, tmp_path / "b", '--thresholds={"least_rows": 99}')
    assert report["status"] == "drifted"


def test_inputs_alone_and_answers_alone(asked: Asked, lived: Path, tmp_path: Path) -> None:
    rows = [cells for cells, _ in asked[:200]]
    report = run(support.write(tmp_path / "1", support.requests(rows)), lived, tmp_path / "a")
    assert report["status"] == "steady" and report["predictions"] is None
    lines = [support.record(None, support.side("0.9999"), "x")] * 200
    report = run(support.write(tmp_path / "2", lines), lived, tmp_path / "b", "--groups", "gender")
    assert report["features"] == [] and report["predictions"]["drifted"]
    assert report["status"] == "drifted" and "predictions: PSI" in report["reasons"][0]
    assert "Predictions" in (tmp_path / "b/report.html").read_text()


def test_without_a_baseline_of_predictions(steady: Steady, lived: Path, tmp_path: Path) -> None:
    root = steady[0]
    more = (f"--labels={root / 'labels'}", "--groups", "gender")
    report = run(root / "captured", lived / "prepare", tmp_path, *more)
    assert report["status"] == "steady" and report["predictions"] is None
    assert "no predictions.json" in report["warnings"][0]
    assert "baseline" not in report["quality"]["auc"] and "precision" not in report["quality"]


def test_labels_amiss_are_told(steady: Steady, lived: Path, tmp_path: Path) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    lines = ["inference_id,label", "strange,1", "event-0,perhaps"]
    (folder / "a.csv").write_text("\n".join(lines))
    report = run(steady[0] / "captured", lived, tmp_path / "a", f"--labels={folder}")
    assert report["quality"] is None
    assert "Labels that cannot be used: 1. a.csv, line 3: label 'perhaps'" in report["warnings"][0]
    assert "None of 1 labels belongs to a captured request." in report["warnings"]
    (folder / "a.csv").write_text("\n".join([lines[0], *(f"event-{n},1" for n in range(50))]))
    report = run(steady[0] / "captured", lived, tmp_path / "b", f"--labels={folder}")
    assert report["quality"]["rows"] == 50 and not report["quality"]["drifted"]
    assert "Only 50 rows have a label" in report["warnings"][0]


def test_groups_of_a_number_and_the_window(steady: Steady, lived: Path, tmp_path: Path) -> None:
    more = ("--groups", "tenure", "--since", "2026-01-31T17:00:00Z", "--until", "2026-02-01")
    report = run(steady[0] / "captured", lived, tmp_path, *more)
    assert report["requests"]["rows"] == 1500 and len(report["groups"]) == 73
    late = run(steady[0] / "captured", lived, tmp_path, "--since", "2026-02-01")
    assert late["status"] == "no_data" and late["requests"]["outside_window"] == 1500


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--groups", "shoe"), "'shoe' is no feature of the baseline; its features are gender"),
        (("--groups", "gender="), "allowed is a feature, or feature=value, each feature once"),
        (("--groups", "gender", "gender=Male"), "each feature once"),
        (("--groups", "MonthlyCharges"), "more than 100 different values"),
        (("--dimensions", "Endpoint"), "allowed is name=value in ASCII"),
        (("--dimensions", "Endpoint=größe"), "in ASCII"),
        (("--dimensions", "a=1", "a=2"), "each name once"),
        (("--since", "yesterday"), "--since 'yesterday': not an ISO 8601 time"),
        (("--since", "2026-02-01", "--until", "2026-01-01"), "does not lie before"),
        (("--thresholds", "[]"), "--thresholds"),
        (("--adapter", "ml_src.nothing"), "cannot be imported"),
        (("--labels", "/nowhere"), "no such folder"),
        (("--surprise",), "arguments: unrecognized arguments"),
    ],
)
def test_wrong_arguments(
    words: tuple[str, ...], expected: str, steady: Steady, lived: Path, tmp_path: Path
) -> None:
    with pytest.raises(JobError) as caught:
        run(steady[0] / "captured", lived, tmp_path, *words)
    assert expected in str(caught.value)


def test_as_a_script(steady: Steady, lived: Path, tmp_path: Path) -> None:
    def script(captured: Path) -> subprocess.CompletedProcess[str]:
        command: list[Any] = [sys.executable, ROOT / "ml_src/shared/drift/job.py"]
        command += ["--captured", captured, "--baseline", lived, "--output", tmp_path / "out"]
        command += ["--adapter", ADAPTER, "--failure-file", tmp_path / "message"]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    ended = script(steady[0] / "captured")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == "drift status=steady rows=1500 requests=1500\n"
    assert not (tmp_path / "message").exists()
    ended = script(tmp_path / "none")
    assert ended.returncode == 1
    assert "no such folder" in (tmp_path / "message").read_text()
    assert ended.stderr.splitlines() == [f"error: {(tmp_path / 'message').read_text()}"]


def test_memory_does_not_grow_with_the_requests(lived: Path, tmp_path: Path) -> None:
    rows = [cells for cells, _ in support.customers(2000, seed=8)]
    for name, times in (("few", 10), ("many", 50)):
        support.write(tmp_path / name, support.requests(rows * times, [0.5] * 2000 * times))
    code = (
        "import resource, sys; from ml_src.shared.drift import job; job.run(sys.argv[1:]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    peaks = {}
    for name in ("few", "many"):
        words = [f"--captured={tmp_path / name}", f"--baseline={lived}", f"--adapter={ADAPTER}"]
        ended = subprocess.run(
            [sys.executable, "-c", code, *words, f"--output={tmp_path / 'out'}"],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        peaks[name] = int(ended.stdout.splitlines()[-1]) / 1024
    assert peaks["many"] - peaks["few"] < 12, peaks  # 80,000 requests more, 36 MB of text

"""The churn pipeline in the rehearsal beside one plain script, and the memory it prepares with."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from ml_src.churn import generate
from rehearsal.process import Rehearsal
from tests.benchmarks.measure import ROOT, Figure
from tests.rehearsal.school import School

SMALL, LARGE = 7_043, 1_000_000
RUNS = 3
# As config/environments/demo.yaml has them.
HYPERPARAMETERS = {
    "max_depth": 5,
    "eta": 0.2,
    "gamma": 4,
    "min_child_weight": 6,
    "subsample": 0.8,
    "num_round": 100,
}
SETTINGS = f"""
name: school
vision: null
training:
  models:
    churn:
      algorithm: xgboost-script
      hyperparameters: {HYPERPARAMETERS}
      data_prefix: churn/customers/
      gate: {{metric: binary_classification_metrics.auc.value, at_least: 0.75}}
      start: {{on_new_data_minutes: 60}}
"""
PREPARE = (
    "import resource, sys; from ml_src.churn import prepare; prepare.run(sys.argv[1:]);"
    "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
)


def figures() -> list[Figure]:
    """Seconds of pipeline and script at both sizes, and the peak of preparing the larger table."""
    with tempfile.TemporaryDirectory() as folder, Rehearsal.start(samples=()) as aws:
        place = Path(folder)
        settings = place / "settings.yaml"
        settings.write_text(SETTINGS)
        school = School.deploy(aws, place, settings)
        tables = {rows: place / f"{rows}.csv" for rows in (SMALL, LARGE)}
        for rows, table in tables.items():
            generate.write(table, generate.blocks(rows, seed=1))
        taken = {rows: _measure(school, rows, table) for rows, table in tables.items()}
        memory = _memory(tables[LARGE], place / "memory")
    return [*_compared(taken), memory]


def _measure(school: School, rows: int, table: Path) -> dict[str, float]:
    """Medians of pipeline and script, in turns so that load is shared; the first of each warms."""
    data = school.upload(f"bench-{rows}/customers.csv", table.read_bytes())
    taken: dict[str, list[float]] = {"pipeline": [], "script": []}
    for run in range(RUNS + 1):
        if run or rows == SMALL:
            taken["pipeline"].append(_pipeline(school, data))
            taken["script"].append(_script(table))
    return {name: statistics.median(seconds[-RUNS:]) for name, seconds in taken.items()}


def _pipeline(school: School, data: str) -> float:
    """Seconds from the start of an execution to its end."""
    started = time.perf_counter()
    done = school.run(data)
    seconds = time.perf_counter() - started
    if done.status != "Succeeded":
        raise RuntimeError(f"the pipeline ended {done.words()}")
    return seconds


def _script(table: Path) -> float:
    """Seconds of the whole process."""
    given = [f"--{name}={value}" for name, value in HYPERPARAMETERS.items()]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tests.benchmarks.plain_training", str(table), folder]
        started = time.perf_counter()
        subprocess.run(
            [*command, *given],
            cwd=ROOT,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},
            check=True,
            capture_output=True,
        )
        return time.perf_counter() - started


def _compared(taken: Mapping[int, Mapping[str, float]]) -> list[Figure]:
    found: list[Figure] = []
    for rows, seconds in taken.items():
        pipeline, script = seconds["pipeline"], seconds["script"]
        name = f"churn of {rows:,} rows: pipeline"
        how = f"{pipeline:.2f} s and {script:.2f} s, medians of {RUNS}"
        small = rows == SMALL
        found += [
            Figure(f"{name} / script", pipeline / script, aim=None if small else 1.3, detail=how),
            Figure(f"{name} - script", pipeline - script, "s", aim=4 if small else None),
        ]
    return found


def _memory(table: Path, output: Path) -> Figure:
    """The peak of the whole process, Python and its libraries included."""
    ended = subprocess.run(
        [sys.executable, "-c", PREPARE, f"--input={table}", f"--output={output}"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    # Kilobytes, but bytes on macOS.
    peak = int(ended.stdout.split()[-1]) * (1 if sys.platform == "darwin" else 1024)
    size = table.stat().st_size
    how = f"{peak / 1e6:.0f} MB for a CSV of {size / 1e6:.0f} MB"
    return Figure(f"preparing {LARGE:,} rows: peak memory / CSV", peak / size, aim=4, detail=how)

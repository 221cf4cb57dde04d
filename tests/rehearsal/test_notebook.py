"""The notebook runs from its first cell to its last, against the deployed training stack.

By the SageMaker Python SDK where it is installed, else by a stand-in of its names (see
sdk_stand_in/README.md); the pipeline, its jobs and the registry behind it are the deployed ones.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rehearsal.process import PROJECT
from tests.rehearsal.school import PATIENCE, School

HERE = Path(__file__).parent
NOTEBOOK = PROJECT / "notebooks" / "churn.ipynb"
HAS_SDK = importlib.util.find_spec("sagemaker") is not None


@pytest.fixture
def variables(school: School) -> dict[str, str]:
    """What the notebook sees: the embedded AWS, and no display."""
    places = [] if HAS_SDK else [str(HERE / "sdk_stand_in")]
    more = {"MPLBACKEND": "Agg", "ENVIRONMENT": "school", "POLL_SECONDS": "1"}
    return school.aws.environment() | more | {"PYTHONPATH": os.pathsep.join(places)}


def run(notebook: Path, variables: dict[str, str], folder: Path, *names: str) -> dict[str, Any]:
    """Run a notebook as a program of its own; give the values that it ends with, by name."""
    done = subprocess.run(
        # -P: modules of this folder are none of the notebook's.
        [sys.executable, "-P", str(HERE / "run_notebook.py"), str(notebook), *names],
        env=variables,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_it_trains_by_the_deployed_pipeline_and_shows_the_version(
    school: School, variables: dict[str, str], tmp_path: Path
) -> None:
    names = ("pipeline_name", "data_url", "plots_url", "package")
    facts = run(NOTEBOOK, variables, tmp_path, *names)
    assert facts["pipeline_name"] == school.pipeline
    assert facts["package"]["ModelApprovalStatus"] == "PendingManualApproval"
    assert facts["data_url"] == school.data.removesuffix("good/")
    assert school.read(f"{facts['plots_url']}roc.png").startswith(b"\x89PNG")


@pytest.mark.parametrize("notebook", sorted(NOTEBOOK.parent.glob("*.ipynb")))
def test_notebooks_keep_no_outputs_and_no_counts(notebook: Path) -> None:
    """Outputs would be somebody's data, and each run a change."""
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None, cell["id"]

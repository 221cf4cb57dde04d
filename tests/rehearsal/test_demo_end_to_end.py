"""The whole demonstration, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]


@pytest.mark.demo
def test_demo_deploys_runs_and_reports(tmp_path: Path) -> None:
    # Credentials of a user's own must not get anywhere.
    mine = {"AWS_PROFILE": "production", "AWS_SECRET_ACCESS_KEY": "very-secret"}
    finished = subprocess.run(
        [sys.executable, "-m", "rehearsal", "demo", "--output", str(tmp_path)],
        cwd=PROJECT,
        env={**os.environ, **mine},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    report = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    statuses = {each["name"]: each["status"] for each in report["scenarios"]}
    assert (statuses["moderation"], statuses["retail"]) == ("passed", "passed")
    assert report["real"] and any("scripted" in each for each in report["stood_in"])
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "All passed" in page and "very-secret" not in page
    assert "Pistol on a table" in finished.stdout and "Rejected" in finished.stdout
    assert "CREATE_COMPLETE" in (tmp_path / "cdk.log").read_text(encoding="utf-8")
    assert "very-secret" not in (tmp_path / "server.log").read_text(encoding="utf-8")

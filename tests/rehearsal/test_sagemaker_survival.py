"""What is left of jobs when their server goes, what a reset forgets, and what a job costs."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearsal.process import Rehearsal
from rehearsal.sagemaker.processes import JobProcess
from tests.rehearsal.job_bench import Bench, processes_below
from tests.rehearsal.listening import wait_for

# A job with a child, and a grandchild that has left its group and its parent.
FAMILY = """
import os, subprocess, sys, time
subprocess.Popen(['sleep', '300'])
subprocess.Popen(['sh', '-c', 'setsid sleep 301 & exit 0'])
print('here', flush=True)
time.sleep(300)
"""
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc")


@pytest.fixture
def server() -> Iterator[Rehearsal]:
    with Rehearsal.start(samples=()) as running:
        yield running


def family(server: Rehearsal) -> Path:
    """Start a job with a family and return the folder that it lives in."""
    bench = Bench.make(server, "survival")
    bench.wait_for_line("Training", bench.training(FAMILY), "here")
    folder = server.folder / "sagemaker"
    wait_for(lambda: len(list(processes_below(folder))) >= 4, what="four processes")
    return folder


@linux
def test_killed_server_leaves_no_job(server: Rehearsal) -> None:
    folder = family(server)
    os.kill(server.pid, signal.SIGKILL)
    wait_for(lambda: not list(processes_below(folder)), 10, "the end of all job processes")


@linux
def test_stopped_server_leaves_no_job_and_no_folder(server: Rehearsal) -> None:
    folder = family(server)
    server.stop()
    wait_for(lambda: not list(processes_below(folder)), 10, "the end of all job processes")
    assert not server.folder.exists()


@linux
def test_reset_ends_jobs_and_forgets_them(server: Rehearsal) -> None:
    folder = family(server)
    started = time.monotonic()
    server.reset()
    assert time.monotonic() - started < 5
    wait_for(lambda: not list(processes_below(folder)), 10, "the end of all job processes")
    assert server.client("sagemaker").list_training_jobs()["TrainingJobSummaries"] == []
    wait_for(lambda: not list((folder / "training").iterdir()), what="an empty folder")
    bench = Bench.make(server, "survival")
    assert bench.trained(bench.training("pass"))["TrainingJobStatus"] == "Completed"
    log = (server.folder / "server.log").read_text()
    assert "Traceback" not in log, log


@linux
def test_what_a_job_leaves_behind_ends_with_it(server: Rehearsal) -> None:
    bench = Bench.make(server, "survival")
    code = FAMILY.replace("time.sleep(300)", "")
    name = bench.training(code)
    job = bench.trained(name)
    assert job["TrainingJobStatus"] == "Completed"
    folder = server.folder / "sagemaker"
    wait_for(lambda: not list(processes_below(folder)), 10, "the end of all job processes")


def test_job_costs_little_beside_its_process(aws: Rehearsal) -> None:
    """At most 0.3 s from Create to Completed for a program that does nothing; the best of some."""
    bench = Bench.make(aws, "overhead")
    bench.put("in/a", "1")
    best = 9.0
    for _ in range(5):
        started = time.monotonic()
        name = bench.training(None, AlgorithmSpecification={"ContainerEntrypoint": ["true"]})
        describe = bench.sagemaker.describe_training_job
        while describe(TrainingJobName=name)["TrainingJobStatus"] == "InProgress":
            time.sleep(0.005)
        best = min(best, time.monotonic() - started)
    assert best < 0.3


def test_output_is_told_in_full_before_the_end(tmp_path: Path) -> None:
    heard: list[str] = []
    code = "import sys; [print(n) for n in range(20000)]; sys.stderr.write('no line break')"
    process = JobProcess(
        [sys.executable, "-S", "-c", code], {"PATH": "/bin"}, tmp_path, heard.extend
    )
    assert process.wait(30) == 0
    assert heard == [*map(str, range(20000)), "no line break"]
    process.terminate()  # harmless by now
    process.kill()


def test_long_lines_are_cut_and_odd_bytes_survive(tmp_path: Path) -> None:
    heard: list[str] = []
    code = "import sys; sys.stdout.buffer.write(b'x' * 450000 + b'\\n\\xff\\n')"
    process = JobProcess(
        [sys.executable, "-S", "-c", code], {"PATH": "/bin"}, tmp_path, heard.extend
    )
    assert process.wait(30) == 0
    assert [len(line) for line in heard] == [200_000, 200_000, 50_000, 1]


@pytest.mark.parametrize(("number", "status"), [(15, 143), (9, 137)])
def test_status_after_a_signal(tmp_path: Path, number: int, status: int) -> None:
    code = f"import os; os.kill(os.getpid(), {number})"
    process = JobProcess(
        [sys.executable, "-S", "-c", code], {"PATH": "/bin"}, tmp_path, lambda lines: None
    )
    assert process.wait(30) == status

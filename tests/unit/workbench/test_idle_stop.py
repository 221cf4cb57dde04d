"""The idle script itself: the real file in a real shell, beside a Jupyter that answers by HTTP."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import sagelens
from rehearsal.notebook_machine import Jupyter, NotebookMachine, kernel, moment
from sagelens.notebook_lifecycle import IdleStop, on_start

SCRIPTS = Path(sagelens.__file__).parent / "notebook_scripts"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:notebook-instance/mine"
# What the AWS command line was asked for, and whether it went well.
AWS = """#!/bin/bash
printf '%s\\n' "$*" >> "$HOME/aws.log"
[ ! -e "$HOME/refuses-$2" ]
"""
REPORT = (
    "cloudwatch put-metric-data --region eu-west-1 --namespace Sagelens --metric-name IdleMinutes "
    "--dimensions Environment=test,NotebookInstance=mine --value "
)
STOP = "sagemaker stop-notebook-instance --region eu-west-1 --notebook-instance-name mine"


@dataclass
class Place:
    """A notebook instance whose AWS command line only notes what it is asked for."""

    jupyter: Jupyter
    machine: NotebookMachine

    def asked(self) -> list[str]:
        """What the AWS command line was asked for, and forget it."""
        log = self.machine.root / "aws.log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return lines

    def look(self) -> list[str]:
        """Let the timer fire once; what the AWS command line was asked for."""
        self.asked()
        self.machine.look()
        return self.asked()

    def stops(self) -> bool:
        """Whether it stops now."""
        return STOP in self.look()


def place(
    root: Path, jupyter: Jupyter, keep_open_kernels: bool = False, user: str = "54321"
) -> Place:
    idle = IdleStop(minutes=60, keep_open_kernels=keep_open_kernels)
    machine = NotebookMachine(
        root, name="mine", arn=ARN, jupyter=jupyter.url, variables={}, user=user
    )
    aws = root / "bin" / "aws"
    aws.write_text(AWS)
    started = machine.start(on_start(idle, environment_name="test"))
    assert started.returncode == 0, started.stderr
    return Place(jupyter, machine)


@pytest.fixture
def jupyter() -> Iterator[Jupyter]:
    with Jupyter() as running:
        yield running


@pytest.fixture
def mine(tmp_path: Path, jupyter: Jupyter) -> Place:
    return place(tmp_path, jupyter)


def now() -> datetime:
    return datetime.now(UTC)


def test_instance_stops_after_its_minutes_not_before_and_says_why(mine: Place) -> None:
    assert mine.look() == [REPORT + "0"]
    mine.machine.later(59)
    assert mine.look() == [REPORT + "59"]
    assert mine.machine.last_words().endswith("idle for 59 of 60 minutes")
    mine.machine.later(1.5)
    assert mine.look() == [REPORT + "60", STOP]
    assert mine.machine.last_words().endswith(
        "stopping mine: no kernel, terminal or job has been at work for 60 minutes (limit 60)"
    )


def test_busy_kernel_is_work_however_long_it_takes(mine: Place) -> None:
    mine.jupyter.kernels = [kernel("busy", now() - timedelta(days=2))]
    mine.machine.later(600)
    assert mine.look() == [REPORT + "0"]
    assert mine.machine.last_words().endswith("at work: kernel python3 1f6cc1d2 is busy")
    mine.jupyter.kernels = [kernel("idle", now() - timedelta(days=2))]
    mine.machine.later(59)
    assert not mine.stops(), "the hour begins when the work ends"
    mine.machine.later(2)
    assert mine.stops()


def test_idle_kernel_and_terminal_count_by_when_they_were_used(mine: Place) -> None:
    mine.jupyter.kernels = [kernel("idle", now() + timedelta(minutes=20))]
    used = moment(now() + timedelta(minutes=40))
    mine.jupyter.terminals = [{"name": "1", "last_activity": used}]
    mine.machine.later(95)
    assert not mine.stops(), "the terminal was used 55 minutes ago"
    mine.machine.later(10)
    assert mine.stops(), "a forgotten tab keeps nothing"


def test_open_kernel_is_kept_where_asked_for(tmp_path: Path, jupyter: Jupyter) -> None:
    mine = place(tmp_path, jupyter, keep_open_kernels=True)
    jupyter.kernels = [kernel("idle", now() - timedelta(days=9))]
    mine.machine.later(600)
    assert not mine.stops()
    jupyter.kernels = []
    mine.machine.later(61)
    assert mine.stops()


def test_program_that_outlives_its_terminal_is_work(tmp_path: Path, jupyter: Jupyter) -> None:
    user = 54321 if os.getuid() == 0 else os.getuid()
    mine = place(tmp_path, jupyter, user=str(user))
    command = ["python3", "-c", "import time; time.sleep(300)  # train.py"]
    # Another user's files, but for what anybody may read.
    job = subprocess.Popen(
        [shutil.which(command[0], path="/usr/bin:/bin") or sys.executable, *command[1:]],
        user=user if os.getuid() == 0 else None,
        cwd="/",
        start_new_session=True,
    )
    try:
        mine.machine.later(600)
        assert mine.look() == [REPORT + "0"]
        assert f"at work: job {job.pid}: " in mine.machine.last_words()
    finally:
        job.kill()
        job.wait()
    mine.machine.later(59)
    assert not mine.stops()


def test_shell_that_waits_and_what_ran_before_anybody_came_are_no_work(
    tmp_path: Path, jupyter: Jupyter
) -> None:
    if os.getuid() != 0:
        pytest.skip("only root starts programs as another user")
    daemon = subprocess.Popen(["sleep", "300"], user=54322, cwd="/", start_new_session=True)
    mine = place(tmp_path, jupyter, user="54322")
    shell = subprocess.Popen(
        ["bash"], stdin=subprocess.PIPE, user=54322, cwd="/", start_new_session=True
    )
    try:
        mine.machine.later(61)
        assert mine.stops(), mine.machine.last_words()
    finally:
        for each in (daemon, shell):
            each.kill()
            each.wait()


@pytest.mark.parametrize("broken", [500, 403])
def test_jupyter_that_does_not_answer_keeps_nothing(mine: Place, broken: int) -> None:
    mine.jupyter.broken = broken
    mine.machine.later(30)
    assert mine.look() == [REPORT + "30"]
    assert "Jupyter does not answer" in mine.machine.log.read_text()
    mine.machine.later(31)
    assert mine.stops()


def test_jupyter_that_is_gone_keeps_nothing(tmp_path: Path) -> None:
    with Jupyter() as jupyter:
        mine = place(tmp_path, jupyter)
    mine.machine.later(61)
    assert mine.stops()


def test_answer_that_is_no_list_of_kernels_counts_for_nothing(mine: Place) -> None:
    mine.jupyter.kernels = [{"surprise": True, "last_activity": "yesterday"}]
    mine.machine.later(61)
    assert mine.stops()


def test_jupyter_without_terminals_is_asked_for_its_kernels_all_the_same(mine: Place) -> None:
    mine.jupyter.terminals = None
    mine.jupyter.kernels = [kernel("busy", now())]
    mine.machine.later(61)
    assert not mine.stops()


def test_time_of_the_last_work_outlives_jupyter_and_the_script(mine: Place) -> None:
    """Else whoever restarts one of them would begin the hour anew, again and again."""
    mine.machine.later(50)
    assert not mine.stops()
    mine.jupyter.broken = 503
    mine.machine.look()
    mine.jupyter.broken = None
    mine.machine.later(11)
    assert mine.stops()


def test_start_of_the_instance_begins_the_hour_anew(mine: Place) -> None:
    mine.machine.later(300)
    shutil.rmtree(mine.machine.root / "run")  # a file system in memory
    assert mine.look() == [REPORT + "0"]


def test_broken_state_begins_the_hour_anew(mine: Place) -> None:
    for wrong in ("", "soon", "99999999999"):
        (mine.machine.root / "run/sagelens/idle-stop/last").write_text(wrong)
        assert mine.look() == [REPORT + "0"]


def test_what_could_not_be_stopped_is_said_and_tried_again(mine: Place) -> None:
    (mine.machine.root / "refuses-stop-notebook-instance").touch()
    mine.machine.later(61)
    assert mine.machine.look().returncode == 1
    assert mine.machine.last_words().endswith("the next try is in five minutes")
    (mine.machine.root / "refuses-stop-notebook-instance").unlink()
    assert mine.stops()


def test_idleness_that_cannot_be_reported_does_not_keep_the_instance(mine: Place) -> None:
    (mine.machine.root / "refuses-put-metric-data").touch()
    mine.machine.later(61)
    assert mine.stops()
    assert "the idle minutes could not be reported" in mine.machine.log.read_text()


def test_machine_that_does_not_know_its_name_says_so(mine: Place) -> None:
    (mine.machine.root / "opt/ml/metadata/resource-metadata.json").unlink()
    assert mine.machine.look().returncode == 1
    assert "does not say which instance this is" in mine.machine.last_words()


def test_jupyter_is_asked_over_tls_with_its_own_certificate(tmp_path: Path) -> None:
    """As on a notebook instance, whose certificate nobody has signed."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=notebook"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with Jupyter(context) as jupyter:
        mine = place(tmp_path / "root", jupyter)
        jupyter.kernels = [kernel("busy", now())]
        mine.machine.later(61)
        assert not mine.stops()


def test_timer_is_installed_before_scripts_of_ones_own(tmp_path: Path, jupyter: Jupyter) -> None:
    script = on_start(IdleStop(), environment_name="test", yours='echo "mine in $HOME"\nexit 7\n')
    machine = NotebookMachine(tmp_path, name="mine", arn=ARN, jupyter=jupyter.url, variables={})
    (tmp_path / "bin" / "aws").write_text(AWS)
    started = machine.start(script)
    assert started.returncode == 7, "a script that fails says so to SageMaker"
    assert f"mine in {tmp_path}" in started.stdout
    assert machine.units.read_text().splitlines() == [
        "systemctl daemon-reload",
        "systemctl start sagelens-idle-stop.service",
        "systemctl enable --now sagelens-idle-stop.timer",
    ]
    installed = (tmp_path / "usr/local/sbin/sagelens-idle-stop").read_text()
    assert installed == (SCRIPTS / "idle-stop.sh").read_text()


def test_scripts_pass_shellcheck(tmp_path: Path) -> None:
    whole = tmp_path / "whole.sh"
    whole.write_text(on_start(IdleStop(), environment_name="test", yours="echo mine"))
    program = Path(sys.executable).with_name("shellcheck")
    assert program.exists(), "shellcheck comes with requirements-dev.txt: make setup"
    files = [*SCRIPTS.glob("*.sh"), whole]
    found = subprocess.run(
        [program, "--severity=info", *files], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout

"""Scenario `workbench`: notebook instances stop when nobody works, or else are stopped."""

from __future__ import annotations

import base64
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from rehearsal.notebook_machine import Jupyter, NotebookMachine, kernel, moment
from rehearsal.report.model import Check, ChecksCard, Flow, Outcome, TableCard
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.waiting import until

NAME = "workbench"
TITLE = "Where people work, and nothing is left running"
ORDER = 6
REAL = (
    "The very life-cycle scripts of the deployed notebook instance ran in a real shell, asked a"
    " Jupyter server over HTTP, and stopped their instance by the instance's own role.",
    "The function that stops what does not stop itself ran as deployed.",
)
STOOD_IN = (
    "There is no machine behind a notebook instance: the scripts ran in a folder, beside a Jupyter"
    " that answers what the story needs, without systemd, and with a clock that was turned on.",
)
FLOW = Flow(
    "The end of an idle notebook instance",
    [
        ("Jupyter", "its REST API", True),
        ("Idle script", "a systemd timer on the instance", False),
        ("Stop", "by the instance's own role", False),
        ("Report", "a metric in Amazon CloudWatch", False),
        ("Sweep", "AWS Lambda, if nothing stops", False),
    ],
)
LIMIT = 60
PERIOD = 300


@dataclass(frozen=True)
class Step:
    """A moment of the story: what people do, and what the script says to it."""

    when: str
    people: str
    said: str


def run(context: Context) -> Outcome:
    """Work, leave, forget: the instance goes on, stops, and another one is stopped."""
    name, other = context.outputs["AnalysisNotebookName"], context.outputs["ResearchNotebookName"]
    for each in (name, other):
        _wake(context, each)
    context.say("running the life-cycle scripts of a notebook instance")
    steps, checks = _a_day(context, name)
    context.say("sweeping")
    checks.append(_sweep(context, other))
    cards = [
        TableCard(
            f"A day on {name}, which may idle for {LIMIT} minutes",
            ("Clock", "What people do", "What the script says"),
            [(step.when, step.people, step.said) for step in steps],
        ),
        _instances(context),
        ChecksCard("What was checked", checks),
    ]
    problems = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    facts = {"checks": {check.promise: check.passed for check in checks}}
    numbers = [("Notebook instances", "2", ""), ("Left running", str(_running(context)), "")]
    return Outcome(facts, cards, problems, "", numbers, FLOW)


def _a_day(context: Context, name: str) -> tuple[list[Step], list[Check]]:
    with tempfile.TemporaryDirectory() as folder, Jupyter() as jupyter:
        machine = _machine(context, Path(folder), name, jupyter)
        now = datetime.now(UTC)
        steps = [Step("0:00", "The instance starts", _said(machine))]
        jupyter.kernels = [kernel("busy", now)]
        steps.append(_later(machine, 120, "2:00", "A cell has been running for two hours"))
        busy = _status(context, name)
        jupyter.kernels = [kernel("idle", now + timedelta(minutes=150))]
        jupyter.terminals = [{"name": "1", "last_activity": moment(now + timedelta(minutes=180))}]
        steps.append(_later(machine, 110, "3:50", "50 minutes ago somebody typed in a terminal"))
        used = _status(context, name)
        steps.append(_later(machine, 15, "4:05", "All have gone home; a tab is still open"))
        until(lambda: _status(context, name) == "Stopped", f"{name} to stop", 15)
    kept = busy == used == "InService"
    return steps, [
        Check("Work keeps the instance: a busy kernel, a used terminal", kept, steps[1].said),
        Check("An hour without work stops it, and it says why", True, steps[-1].said),
    ]


def _later(machine: NotebookMachine, minutes: int, when: str, people: str) -> Step:
    machine.later(minutes)
    machine.look()
    return Step(when, people, _said(machine))


def _said(machine: NotebookMachine) -> str:
    return machine.last_words().partition("sagelens-idle-stop: ")[2]


def _machine(context: Context, root: Path, name: str, jupyter: Jupyter) -> NotebookMachine:
    """The machine of an instance, just started with the scripts that SageMaker has of it."""
    sagemaker = context.client("sagemaker")
    found = sagemaker.describe_notebook_instance(NotebookInstanceName=name)
    lifecycle = sagemaker.describe_notebook_instance_lifecycle_config(
        NotebookInstanceLifecycleConfigName=found["NotebookInstanceLifecycleConfigName"]
    )
    variables = {**context.aws.environment(), **context.aws.sagemaker.notebook_credentials(name)}
    machine = NotebookMachine(
        root,
        name=name,
        arn=found["NotebookInstanceArn"],
        jupyter=jupyter.url,
        variables=variables,
    )
    machine.start(base64.b64decode(lifecycle["OnStart"][0]["Content"]).decode())
    return machine


def _sweep(context: Context, name: str) -> Check:
    """Report too many idle minutes, as a script would that may not stop its instance; sweep."""
    found = context.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name)
    environment = name.split("-")[1]
    dimensions = {"Environment": environment, "NotebookInstance": name}
    context.client("cloudwatch").put_metric_data(
        Namespace="Sagelens",
        MetricData=[
            {
                "MetricName": "IdleMinutes",
                "Value": 3 * LIMIT,
                # Of a period after its start, however short ago that is.
                "Timestamp": (int(time.time()) // PERIOD + 1) * PERIOD,
                "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
            }
        ],
    )
    answer: Mapping[str, Any] = context.client("lambda").invoke(
        FunctionName=context.outputs["NotebookKeeperName"],
        Payload=json.dumps({"action": "sweep"}),
    )
    until(lambda: _status(context, name) == "Stopped", f"{name} to be stopped", 15)
    promise = "What reports that it is idle and does not stop is stopped by the sweep"
    passed = found["NotebookInstanceStatus"] == "InService" and "FunctionError" not in answer
    return Check(promise, passed, f"{name} was {found['NotebookInstanceStatus']}, is stopped now")


def _wake(context: Context, name: str) -> None:
    """Start an instance that its evening's end has stopped: another scenario lets days go by."""
    if _status(context, name) != "InService":
        until(lambda: _status(context, name) == "Stopped", f"{name} to be stopped", 15)
        context.client("sagemaker").start_notebook_instance(NotebookInstanceName=name)
        until(lambda: _status(context, name) == "InService", f"{name} to be started", 15)


def _status(context: Context, name: str) -> str:
    found = context.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name)
    return str(found["NotebookInstanceStatus"])


def _running(context: Context) -> int:
    client = context.client("sagemaker")
    return len(client.list_notebook_instances(StatusEquals="InService")["NotebookInstances"])


def _instances(context: Context) -> TableCard:
    client = context.client("sagemaker")
    names = [
        each["NotebookInstanceName"]
        for each in client.list_notebook_instances()["NotebookInstances"]
    ]
    found = [client.describe_notebook_instance(NotebookInstanceName=name) for name in names]
    rows = [
        (
            each["NotebookInstanceName"],
            each["InstanceType"],
            f"{each['VolumeSizeInGB']} GB",
            each["PlatformIdentifier"],
            each["RootAccess"].lower(),
            each["NotebookInstanceStatus"],
        )
        for each in found
    ]
    columns = ("Notebook instance", "Type", "Volume", "Platform", "Root access", "At the end")
    return TableCard("Notebook instances", columns, rows)

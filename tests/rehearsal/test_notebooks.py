"""Notebook instances as the workbench's templates make them: they stop, and are stopped."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rehearsal.deploy import deploy
from rehearsal.notebook_machine import Jupyter, NotebookMachine, kernel
from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for
from tests.rehearsal.platform import synthesize
from tests.rehearsal.policies import Policy, without

STACK = "sagelens-bench-workbench"
ANALYSIS, RESEARCH = "sagelens-bench-analysis", "sagelens-bench-research"
PERIOD = 300
SETTINGS = Path(__file__).with_name("workbench.yaml")


class Bench:
    """The deployed notebook instances, by AWS calls alone."""

    def __init__(self, aws: Rehearsal, outputs: dict[str, str], assembly: Path) -> None:
        self.aws = aws
        self.outputs = outputs
        self.assembly = assembly
        self.sagemaker: Any = aws.client("sagemaker")

    def describe(self, name: str) -> dict[str, Any]:
        return self.sagemaker.describe_notebook_instance(NotebookInstanceName=name)

    def is_now(self, name: str, status: str) -> None:
        """Wait until an instance is in this state."""
        wait_for(
            lambda: self.describe(name)["NotebookInstanceStatus"] == status or None,
            seconds=20,
            what=f"{name} to be {status}",
        )

    def runs(self, name: str) -> None:
        """See to it that an instance runs."""
        if self.describe(name)["NotebookInstanceStatus"] == "Stopped":
            self.sagemaker.start_notebook_instance(NotebookInstanceName=name)
        self.is_now(name, "InService")

    def keep(self, **event: str) -> dict[str, Any]:
        """Invoke the keeper as a schedule does, and wait for its end."""
        answer = self.aws.client("lambda").invoke(
            FunctionName=self.outputs["NotebookKeeperName"], Payload=json.dumps(event)
        )
        return json.loads(answer["Payload"].read() or b"null") or {}

    def reports(self, name: str, minutes: float) -> None:
        """Report idle minutes as an instance's script does."""
        dimensions = {"Environment": "bench", "NotebookInstance": name}
        self.aws.client("cloudwatch").put_metric_data(
            Namespace="Sagelens",
            MetricData=[
                {
                    "MetricName": "IdleMinutes",
                    "Value": minutes,
                    # Of a period after its start, however short ago that is.
                    "Timestamp": (int(time.time()) // PERIOD + 1) * PERIOD,
                    "Dimensions": [{"Name": k, "Value": v} for k, v in dimensions.items()],
                }
            ],
        )

    def on_start(self, name: str) -> str:
        """The script that SageMaker has been given for an instance's starts."""
        lifecycle = self.describe(name)["NotebookInstanceLifecycleConfigName"]
        found = self.sagemaker.describe_notebook_instance_lifecycle_config(
            NotebookInstanceLifecycleConfigName=lifecycle
        )
        return base64.b64decode(found["OnStart"][0]["Content"]).decode()

    def machine(self, root: Path, name: str, jupyter: Jupyter) -> NotebookMachine:
        """The machine of an instance, just started."""
        machine = NotebookMachine(
            root,
            name=name,
            arn=self.describe(name)["NotebookInstanceArn"],
            jupyter=jupyter.url,
            variables={
                **self.aws.environment(),
                **self.aws.sagemaker.notebook_credentials(name),
            },
        )
        started = machine.start(self.on_start(name))
        assert started.returncode == 0, started.stderr
        return machine


@pytest.fixture(scope="module")
def bench(
    run_folders_of_our_own: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    with Rehearsal.start(samples=()) as aws:
        assembly = synthesize(tmp_path_factory.mktemp("workbench"), SETTINGS)
        yield Bench(aws, deploy(aws, assembly)[STACK], assembly)


def test_instances_are_as_the_template_says(bench: Bench) -> None:
    found = bench.describe(RESEARCH)
    wanted = {
        "NotebookInstanceStatus": "InService",
        "InstanceType": "ml.m5.xlarge",
        "VolumeSizeInGB": 20,
        "RootAccess": "Disabled",
        "PlatformIdentifier": "notebook-al2023-v1",
        "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": "2"},
    }
    assert {name: found[name] for name in wanted} == wanted
    repository = bench.sagemaker.describe_code_repository(
        CodeRepositoryName=found["DefaultCodeRepository"]
    )
    assert repository["GitConfig"]["RepositoryUrl"].endswith("amazon-sagemaker-examples.git")
    listed = bench.sagemaker.list_notebook_instances(NameContains="bench")["NotebookInstances"]
    assert {each["NotebookInstanceName"] for each in listed} == {ANALYSIS, RESEARCH}


def test_deployed_script_stops_its_own_idle_instance(bench: Bench, tmp_path: Path) -> None:
    bench.runs(ANALYSIS)
    with Jupyter() as jupyter:
        machine = bench.machine(tmp_path, ANALYSIS, jupyter)
        jupyter.kernels = [kernel("busy", datetime.now(UTC))]
        machine.later(90)
        assert machine.look().returncode == 0
        assert bench.describe(ANALYSIS)["NotebookInstanceStatus"] == "InService"
        jupyter.kernels = []
        machine.later(61)
        role = bench.describe(ANALYSIS)["RoleArn"]
        with without(bench.aws, role, "StopItself"):
            assert "AccessDenied" in machine.look().stderr
        with without(bench.aws, role, "ReportIdleness"):
            assert "cloudwatch:PutMetricData" in machine.look().stderr
        bench.is_now(ANALYSIS, "Stopped")


def test_instance_may_stop_no_other(bench: Bench, tmp_path: Path) -> None:
    bench.runs(ANALYSIS)
    bench.runs(RESEARCH)
    with Jupyter() as jupyter:
        machine = bench.machine(tmp_path, ANALYSIS, jupyter)
        metadata = tmp_path / "opt/ml/metadata/resource-metadata.json"
        metadata.write_text(metadata.read_text().replace("analysis", "research"))
        machine.later(61)
        assert "AccessDenied" in machine.look().stderr
    assert bench.describe(RESEARCH)["NotebookInstanceStatus"] == "InService"


def test_sweep_stops_what_says_that_it_has_been_idle_for_too_long(bench: Bench) -> None:
    bench.runs(ANALYSIS)
    bench.runs(RESEARCH)
    bench.reports(ANALYSIS, 91)
    bench.reports(RESEARCH, 5)
    assert bench.keep(action="sweep") == {}
    bench.is_now(ANALYSIS, "Stopped")
    assert bench.describe(RESEARCH)["NotebookInstanceStatus"] == "InService"


def test_hours_start_and_stop_and_leave_alone_what_is_so_already(bench: Bench) -> None:
    bench.runs(RESEARCH)
    for action, end in (("stop", "Stopped"), ("start", "InService")):
        for _ in range(2):
            assert bench.keep(action=action, notebook=RESEARCH) == {}
            bench.is_now(RESEARCH, end)
    answer = bench.keep(action="stop", notebook="somebody-elses")
    assert "somebody-elses" in answer["errorMessage"]


def test_each_statement_of_the_keeper_is_needed(bench: Bench) -> None:
    function = bench.aws.client("lambda").get_function_configuration(
        FunctionName=bench.outputs["NotebookKeeperName"]
    )
    policy = Policy(bench.aws, function["Role"])
    bench.runs(RESEARCH)
    asked = {
        "SeeNotebooks": ("sweep", "DescribeNotebookInstance"),
        "ReadIdleness": ("sweep", "GetMetricData"),
        "StopNotebooks": ("stop", "StopNotebookInstance"),
        "StartNotebooks": ("start", "StartNotebookInstance"),
    }
    # What is left is of every function: its log, and the key of its variables.
    assert policy.statements == {*asked, "UseKey", "WriteLogs"}
    for sid, (action, operation) in asked.items():
        with policy.without(sid):
            answer = bench.keep(action=action, notebook=RESEARCH)
            assert operation in answer.get("errorMessage", ""), sid
        if action == "stop":
            assert bench.keep(action="stop", notebook=RESEARCH) == {}
            bench.is_now(RESEARCH, "Stopped")


def test_schedule_lets_the_keeper_sweep(bench: Bench) -> None:
    bench.runs(ANALYSIS)
    bench.reports(ANALYSIS, 1000)
    bench.aws.fire_schedules(within=900)
    bench.is_now(ANALYSIS, "Stopped")


def test_template_that_changes_stops_an_instance_and_starts_it_again(
    bench: Bench, tmp_path: Path
) -> None:
    bench.runs(RESEARCH)
    before = bench.on_start(RESEARCH)
    changed = tmp_path / "changed.yaml"
    text = SETTINGS.read_text().replace("volume_gb: 20", "volume_gb: 30\n      idle_minutes: 15")
    changed.write_text(text)
    deploy(bench.aws, synthesize(tmp_path / "assembly", changed), [STACK])
    found = bench.describe(RESEARCH)
    assert (found["VolumeSizeInGB"], found["NotebookInstanceStatus"]) == (30, "InService")
    assert bench.on_start(RESEARCH) == before.replace("IDLE_MINUTES=60", "IDLE_MINUTES=15")


def test_stack_that_goes_leaves_no_instance(bench: Bench) -> None:
    bench.runs(RESEARCH)
    cloudformation = bench.aws.client("cloudformation")
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    assert bench.sagemaker.list_notebook_instances()["NotebookInstances"] == []

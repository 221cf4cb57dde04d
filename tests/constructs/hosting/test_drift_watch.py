"""The drift watch: its periods, its job, what it may do, and how it is heard."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from ml_src.shared.drift import job as drift_job
from sagelens import (
    DriftWatch,
    Job,
    JobSurroundings,
    Network,
    PrivateNetwork,
    S3Folder,
    SourceArchive,
    WatchPeriod,
)
from tests.constructs.conftest import Resources, actions, resources, statements
from tests.constructs.hosting import machines
from tests.constructs.hosting.conftest import IMAGE, House
from tests.security.judges import cfn_lint, cloudformation
from tests.security.judges import iam as judge
from tests.security.judges.findings import listing
from tests.security.judges.templates import Template

ROOT = Path(__file__).parents[3]
NAME = "test-churn-drift"
RUN = "s3://models/churn/runs/a1b2c3"
PACKAGE = {
    "ModelMetrics": {
        "ModelDataQuality": {"Statistics": {"S3Uri": f"{RUN}/prepare/baseline/statistics.json"}},
        "ModelQuality": {"Statistics": {"S3Uri": f"{RUN}/evaluate/evaluation/evaluation.json"}},
    }
}
PLACES = {"captured": "c", "labels": "l", "reports": "r", "code": "s3://code/ab.tgz"}


def watch(house: House, **changes: Any) -> DriftWatch:
    """The shortest use, with changes."""
    models = house.models
    given: dict[str, Any] = {
        "name": NAME,
        "model": "churn",
        "endpoint_name": "test-churn",
        "live_version": "/test/live/churn",
        "model_group_name": "test-churn",
        "captured": house.capture.folder,
        "baselines": S3Folder(bucket=models, prefix="churn/runs/"),
        "reports": S3Folder(bucket=models, prefix="churn/drift/"),
        "source": SourceArchive(house.stack, "Source", folder=ROOT / "ml_src"),
        "image": IMAGE,
        "adapter": "ml_src.churn.capture",
        "encryption_key": house.key,
        "alarm_topic": house.topic,
        "bus": house.bus,
        **changes,
    }
    return DriftWatch(house.stack, "Watch", **given)


def labels(house: House) -> S3Folder:
    return S3Folder(bucket=house.models, prefix="churn/labels/")


def network(house: House) -> JobSurroundings:
    private = PrivateNetwork(
        house.stack, "Network", cidr="10.0.0.0/16", services=[], encryption_key=house.key
    )
    return JobSurroundings(
        network=Network(vpc=private.vpc, security_groups=[private.workload_security_group])
    )


def role(found: Resources, words: str) -> dict[str, Any]:
    (one,) = [each for each in found.of("AWS::IAM::Role") if words in each["Description"]]
    return one


def planned(made: DriftWatch, at: str, released: str = "2026-01-01T00:00:00.000Z") -> Any:
    """The period that a look at a time is about."""
    given = {
        "at": at,
        "live": {"version": "v", "since": released},
        "places": PLACES,
        "package": PACKAGE,
    }
    return machines.evaluated(made.definition["States"]["Plan"]["Output"], given)


def assembled(made: DriftWatch, found: list[int], late: int | None = None) -> Any:
    """The job for a period of which so many objects were found in each folder."""
    plan = planned(made, "2026-11-23T02:00:00Z")
    looked = [
        {"prefix": prefix, "looked": {"found": number}}
        for prefix, number in zip(plan["period"]["folders"], found, strict=True)
    ]
    given = {**plan, "looked": looked}
    if late is not None:
        given["labels"] = {"found": late}
    return machines.evaluated(made.definition["States"]["Assemble"]["Output"], given)["job"]


# --- which requests ------------------------------------------------------------------------------


def test_a_day_is_read_from_the_folders_that_may_hold_it(house: House) -> None:
    period = planned(watch(house), "2026-11-23T02:00:00Z")["period"]
    assert period["since"] == "2026-11-22T01:00:00.000Z"
    assert period["until"] == "2026-11-23T01:00:00.000Z"
    place = "captured/test-churn/main/2026/11"
    assert period["folders"] == [f"{place}/22/", f"{place}/23/"]


def test_a_late_start_looks_at_the_period_it_was_meant_for(house: House) -> None:
    made = watch(house)
    late = planned(made, "2026-11-23T02:59:59Z")["period"]
    assert late == planned(made, "2026-11-23T02:00:00Z")["period"]


def test_an_hour_reads_the_next_hours_folder_for_files_closed_in_it(house: House) -> None:
    made = watch(house, period=WatchPeriod(hours=1, delay_minutes=15))
    period = planned(made, "2027-01-01T00:20:00Z")["period"]
    assert period["until"] == "2027-01-01T00:00:00.000Z"
    place = "captured/test-churn/main"
    assert period["folders"] == [f"{place}/2026/12/31/23/", f"{place}/2027/01/01/00/"]


@pytest.mark.parametrize("hours", [1, 5, 6, 24, 96, 97, 720, 744])
@pytest.mark.parametrize("at", ["2026-03-01T00:10:00Z", "2026-11-23T13:05:00Z"])
def test_never_more_inputs_than_a_job_takes(house: House, hours: int, at: str) -> None:
    made = watch(house, period=WatchPeriod(hours=hours, delay_minutes=5), labels=labels(house))
    period = planned(made, at)["period"]
    folders = period["folders"]
    assert isinstance(folders, list)
    # Beside them: the code, two folders of the baseline, labels.
    assert 1 <= len(folders) <= 6
    for moment in (period["since"], period["until"]):
        day = moment[:10].replace("-", "/")
        assert any(f"{day}/{moment[11:13]}/".startswith(each[25:]) for each in folders), moment


def test_what_the_version_before_answered_is_left_out(house: House) -> None:
    made = watch(house)
    period = planned(made, "2026-11-23T02:00:00Z", "2026-11-22T20:30:00.500Z")["period"]
    assert period["since"] == "2026-11-22T21:30:00.500Z"
    assert period["empty"] is False
    period = planned(made, "2026-11-23T02:00:00Z", "2026-11-23T01:30:00Z")["period"]
    assert period["empty"] is True


def test_the_baseline_is_that_of_the_live_version(house: House) -> None:
    plan = planned(watch(house), "2026-11-23T02:00:00Z")
    assert plan["baselines"] == [f"{RUN}/prepare/baseline/", f"{RUN}/evaluate/evaluation/"]


@pytest.mark.parametrize(("found", "inputs"), [([0, 0], 0), ([1, 0], 1), ([0, 1], 1), ([1, 1], 2)])
def test_only_folders_that_hold_something_are_inputs(
    house: House, found: list[int], inputs: int
) -> None:
    job = assembled(watch(house), found)
    assert job["captured"] == inputs
    names = [each["InputName"] for each in job["inputs"]]
    assert names[:3] == ["code", "baseline-0", "baseline-1"]
    assert len(names[3:]) == inputs
    assert len({each["S3Input"]["LocalPath"] for each in job["inputs"]}) == len(names)


def test_labels_are_an_input_once_there_are_some(house: House) -> None:
    made = watch(house, labels=labels(house))
    assert "--labels" not in assembled(made, [1, 0], late=0)["arguments"]
    job = assembled(made, [1, 0], late=1)
    assert job["inputs"][-1]["S3Input"]["S3Uri"] == "s3://l/churn/labels/"
    assert job["arguments"][-2:] == ["--labels", "/opt/ml/processing/input/labels"]


def test_the_job_understands_its_arguments(house: House) -> None:
    made = watch(
        house, labels=labels(house), groups=["gender", "SeniorCitizen=1"], thresholds={"psi": 0.3}
    )
    script, *arguments = assembled(made, [1, 1], late=1)["arguments"]
    assert (ROOT / script.removeprefix("/opt/ml/code/")).is_file()
    task = drift_job.parse(arguments)
    assert task.adapter == "ml_src.churn.capture"
    assert task.groups == {"gender": None, "SeniorCitizen": "1"}
    assert task.thresholds.psi == 0.3
    assert task.dimensions == {"Endpoint": "test-churn", "Watch": NAME}
    assert str(task.labels) == "/opt/ml/processing/input/labels"
    assert task.window.holds("2026-11-22T01:00:00Z")
    assert not task.window.holds("2026-11-23T01:00:00Z")


# --- the state machine ---------------------------------------------------------------------------


@pytest.mark.parametrize("more", [(), ("labels",), ("bus",)])
def test_every_way_leads_somewhere_and_every_failure_is_told(
    house: House, more: tuple[str, ...]
) -> None:
    changes: dict[str, Any] = {"labels": {"labels": labels(house)}, "bus": {"bus": None}}
    made = watch(house, **{key: value for one in more for key, value in changes[one].items()})
    assert machines.unreached(made.definition) == set()
    assert machines.uncaught(made.definition) == set()


def test_every_call_is_one_that_the_service_takes(house: House) -> None:
    made = watch(house, labels=labels(house), surroundings=network(house))
    job = assembled(made, [1, 1], late=1)
    values = {
        "$.job.inputs": job["inputs"],
        "$.job.arguments": job["arguments"],
        "$.job.name": job["name"],
        "$.job.output": job["output"],
        "$.metrics.data": [{"MetricName": "DriftDetected", "Value": 1}],
    }
    assert machines.complaints(made.definition, values) == []
    assert len(machines.tasks(made.definition)) == 11


def test_the_template_holds_the_definition_whole(house: House) -> None:
    """CDK drops a null on its way; a token would break what stands in an expression."""
    made = watch(house)
    machine = resources(house.stack).one("AWS::StepFunctions::StateMachine")
    _, parts = machine["DefinitionString"]["Fn::Join"]
    text = "".join(part if isinstance(part, str) else "TOKEN" for part in parts)
    deployed = json.loads(text)["States"]
    assert set(deployed) == set(made.definition["States"])
    assert deployed["Plan"] == made.definition["States"]["Plan"]
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["EncryptionConfiguration"]["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False


def test_the_job_is_isolated_and_encrypted(house: House) -> None:
    made = watch(house, surroundings=network(house), job=Job(max_runtime_seconds=600))
    given = made.definition["States"]["Compare"]["Parameters"]
    assert given["NetworkConfig"]["EnableNetworkIsolation"] is True
    assert len(given["NetworkConfig"]["VpcConfig"]["Subnets"]) == 2
    assert given["ProcessingOutputConfig"]["KmsKeyId"]
    assert given["ProcessingResources"]["ClusterConfig"]["VolumeKmsKeyId"]
    assert given["StoppingCondition"] == {"MaxRuntimeInSeconds": 600}
    # First the job's own limit, then the state's, then the machine's.
    state = made.definition["States"]["Compare"]["TimeoutSeconds"]
    assert [600, state, made.definition["TimeoutSeconds"]] == sorted(
        {
            600,
            state,
            made.definition["TimeoutSeconds"],
        }
    )


def test_an_instance_with_disks_of_its_own_gets_no_key(house: House) -> None:
    made = watch(house, job=Job(instance_type="ml.m5d.large"))
    cluster = made.definition["States"]["Compare"]["Parameters"]["ProcessingResources"]
    assert "VolumeKmsKeyId" not in cluster["ClusterConfig"]


def test_the_event_is_the_one_that_a_pipeline_listens_for(house: House) -> None:
    (entry,) = watch(house).definition["States"]["AskForRetraining"]["Parameters"]["Entries"]
    assert (entry["Source"], entry["DetailType"]) == ("sagelens.drift", "Retraining Requested")
    assert entry["Detail"]["schema"] == "1"
    assert entry["Detail"]["model"] == "churn"
    assert {each.removesuffix(".$") for each in entry["Detail"]} == {
        *("schema", "id", "model", "endpoint", "variant", "version", "since", "until", "report"),
        "execution",
    }


def test_without_a_bus_nobody_is_asked(house: House) -> None:
    made = watch(house, bus=None)
    assert made.definition["States"]["HasDrifted"]["Choices"][0]["Next"] == "Drifted"
    found = statements(role(resources(house.stack), "state machine of a drift watch"))
    assert "events:PutEvents" not in actions(found.values())


# --- what they may do ----------------------------------------------------------------------------


def test_the_state_machine_may_do_exactly_what_its_tasks_do(house: House) -> None:
    made = watch(house, labels=labels(house))
    found = statements(role(resources(house.stack), "state machine of a drift watch"))
    beside = {
        *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
        *found["DeliverLogs"]["Action"],
        *found["Trace"]["Action"],
    }
    assert actions(found.values()) == machines.needed(made.definition) | beside
    wide = {sid for sid, each in found.items() if each["Resource"] == "*"}
    assert wide == {"DeliverLogs", "Publish", "Trace"}


def test_the_state_machine_reaches_this_watchs_things_only(house: House) -> None:
    watch(house, labels=labels(house))
    found = statements(role(resources(house.stack), "state machine of a drift watch"))

    def where(sid: str) -> str:
        return str(found[sid]["Resource"])

    assert ":parameter/test/live/churn" in where("ReadLiveVersion")
    assert ":model-package/test-churn/*" in where("LookAtPackages")
    assert f":processing-job/{NAME}-*" in where("RunJobs")
    assert "/churn/drift/*" in where("ReadMetrics")
    assert where("HearOfJobs").endswith(
        ":rule/StepFunctionsGetEventsForSageMakerProcessingJobsRule']]}"
    )
    assert found["PassJobRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert "JobRole" in where("PassJobRole")
    assert found["Publish"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "Sagelens/Drift"}
    }
    prefixes = {
        sid: found[sid]["Condition"]["StringLike"]["s3:prefix"]
        for sid in found
        if sid.startswith("Find")
    }
    assert prefixes == {
        "FindCaptured": "captured/test-churn/main/*",
        "FindLabels": "churn/labels/*",
    }


def test_the_job_reads_these_folders_and_writes_reports(house: House) -> None:
    watch(house)
    found = statements(role(resources(house.stack), "job of a drift watch"))
    reads = {sid for sid, each in found.items() if each["Action"] == "s3:GetObject"}
    assert reads == {"ReadCaptured", "ReadBaselines", "ReadCode"}
    assert "/captured/test-churn/main/*" in str(found["ReadCaptured"]["Resource"])
    assert "/churn/runs/*" in str(found["ReadBaselines"]["Resource"])
    assert found["WriteReports"]["Action"] == ["s3:AbortMultipartUpload", "s3:PutObject"]
    assert "/churn/drift/*" in str(found["WriteReports"]["Resource"])
    wide = {sid for sid, each in found.items() if each["Resource"] == "*"}
    assert wide == {"Measure", "SignInToRegistries"}
    assert "TrainingJobs" not in str(found["WriteLogs"]["Resource"])
    assert not {each for each in actions(found.values()) if each.startswith("ec2:")}


def test_labels_and_network_bring_their_rights(house: House) -> None:
    watch(house, labels=labels(house), surroundings=network(house))
    found = statements(role(resources(house.stack), "job of a drift watch"))
    assert "/churn/labels/*" in str(found["ReadLabels"]["Resource"])
    assert "JoinNetwork" in found


def test_roles_are_for_their_service_in_this_account_only(house: House) -> None:
    watch(house)
    found = resources(house.stack)
    for words, service in (
        ("state machine of a drift watch", "states"),
        ("job of a drift watch", "sagemaker"),
        ("Lets a schedule start", "scheduler"),
    ):
        (trust,) = role(found, words)["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert trust["Condition"]["StringEquals"] == {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"}
        }


def test_the_schedule_may_start_it_and_nothing_else(house: House) -> None:
    watch(house)
    found = resources(house.stack)
    given = statements(role(found, "Lets a schedule start"))
    assert actions(given.values()) == {
        *("states:StartExecution", "sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey")
    }
    schedule = found.one("AWS::Scheduler::Schedule")
    assert json.loads(schedule["Target"]["Input"]) == {"at": "<aws.scheduler.scheduled-time>"}
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["Target"]["DeadLetterConfig"]


def test_whoever_is_granted_may_look_at_once(house: House) -> None:
    made = watch(house)
    person = iam.Role(house.stack, "Person", assumed_by=iam.AccountRootPrincipal())
    made.grant_start(person)
    (policy,) = [
        one
        for one in resources(house.stack).of("AWS::IAM::Policy")
        if "Person" in str(one["Roles"])
    ]
    given = policy["PolicyDocument"]["Statement"]
    assert actions(given) == {"states:StartExecution", "states:DescribeExecution", "kms:Decrypt"}


# --- how it is heard -----------------------------------------------------------------------------


def test_drift_rings_until_a_later_look_finds_none(house: House) -> None:
    watch(house)
    alarms = {one["MetricName"]: one for one in resources(house.stack).of("AWS::CloudWatch::Alarm")}
    assert set(alarms) == {
        "ApproximateNumberOfMessagesVisible",
        "DriftDetected",
        "ExecutionsAborted",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
    }
    drift = alarms["DriftDetected"]
    assert drift["Namespace"] == "Sagelens/Drift"
    assert drift["TreatMissingData"] == "ignore"
    assert {each["Name"]: each["Value"] for each in drift["Dimensions"]} == {
        "Endpoint": "test-churn",
        "Watch": NAME,
    }
    assert all(one["AlarmActions"] for one in alarms.values())


def test_metrics_of_features_and_groups_can_be_watched(house: House) -> None:
    made = watch(house)
    metric = made.metric("FeaturePSI", Feature="tenure").to_metric_config().metric_stat
    assert metric is not None
    assert {each.name: each.value for each in metric.dimensions or []}["Feature"] == "tenure"


# --- arguments and judges ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a" * 55}, "1 to 54 letters"),
        ({"name": "a_b"}, "got 'a_b'"),
        ({"image": "mine:1"}, "got 'mine:1'"),
        ({"period": WatchPeriod(hours=745)}, "period.hours: got 745 h, allowed are 1 to 744 h"),
        ({"period": WatchPeriod(delay_minutes=0)}, "period.delay_minutes: got 0 min"),
        ({"period": WatchPeriod(settle_minutes=-1)}, "period.settle_minutes: got -1 min"),
        ({"job": Job(instance_type="m5.large")}, "job.instance_type: got 'm5.large'"),
        ({"thresholds": {f"threshold_{n}": 0.1 for n in range(20)}}, "give fewer thresholds"),
    ],
)
def test_bad_arguments_are_refused_in_words(
    house: House, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        watch(house, **changes)


def test_a_folder_that_is_none_is_refused_with_everything_else(house: House) -> None:
    with pytest.raises(ValueError) as refused:
        watch(house, name="-", reports=S3Folder(bucket=house.models, prefix="drift"))
    assert "reports.prefix: got 'drift'" in str(refused.value)
    assert "name: got '-'" in str(refused.value)


@pytest.mark.parametrize("networked", [False, True])
def test_the_judges_find_nothing(house: House, networked: bool) -> None:
    watch(
        house,
        labels=labels(house),
        surroundings=network(house) if networked else JobSurroundings(),
    )
    app = house.stack.node.root
    assert isinstance(app, cdk.App)
    body = app.synth().get_stack_by_name("Stranger").template
    templates = [Template("Stranger", body)]
    found = [
        *judge.judge(templates),
        *cfn_lint.judge(templates, ["us-east-1", "eu-central-1"]),
        *cloudformation.judge(templates),
    ]
    assert not found, listing(found)

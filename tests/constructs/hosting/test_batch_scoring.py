"""Batch scoring: its job, what it may do, and what it refuses."""

from __future__ import annotations

import json
import re
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from sagelens import (
    BatchLimits,
    BatchRecords,
    BatchScoring,
    JobSurroundings,
    Network,
    PrivateNetwork,
    S3Folder,
)
from tests.constructs.conftest import Resources, actions, resources, statements
from tests.constructs.hosting import machines
from tests.constructs.hosting.conftest import IMAGE, House
from tests.security.judges import cfn_lint, cloudformation
from tests.security.judges import iam as judge
from tests.security.judges.findings import listing
from tests.security.judges.templates import Template

NAME = "test-churn-batch"


def scoring(house: House, **changes: Any) -> BatchScoring:
    """The shortest use, with changes."""

    def folder(prefix: str) -> S3Folder:
        return S3Folder(bucket=house.models, prefix=prefix)

    given: dict[str, Any] = {
        "name": NAME,
        "model": "churn",
        "live_version": "/test/live/churn",
        "model_group_name": "test-churn",
        "models": folder("churn/runs/"),
        "inputs": folder("churn/batch/in/"),
        "outputs": folder("churn/batch/out/"),
        "images": [IMAGE],
        "encryption_key": house.key,
        "alarm_topic": house.topic,
        "bus": house.bus,
        **changes,
    }
    return BatchScoring(house.stack, "Batch", **given)


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


# --- the state machine ---------------------------------------------------------------------------


@pytest.mark.parametrize("heard", [True, False])
def test_every_way_leads_somewhere_and_every_failure_is_told(house: House, heard: bool) -> None:
    made = scoring(house, **({} if heard else {"bus": None}))
    assert machines.unreached(made.definition) == set()
    assert machines.uncaught(made.definition) == set()


def test_every_call_is_one_that_the_service_takes(house: House) -> None:
    made = scoring(house, surroundings=network(house))
    values = {"$.name": f"{NAME}-0123abcd"}
    assert machines.complaints(made.definition, values) == []
    assert len(machines.tasks(made.definition)) == 10


def test_once_there_is_a_model_every_failure_deletes_it(house: House) -> None:
    found = scoring(house).definition["States"]

    def ends(name: str) -> set[str]:
        """Where a state's failures end up, past choices and notes."""
        state = found[name]
        if name == "DeleteFailedModel":
            return {name}
        if state["Type"] == "Task":
            onward = [each["Next"] for each in state["Catch"]]
            # What looks at a job, or stops it, goes on after success as well.
            onward += [state["Next"]] if name != "Transform" else []
        else:
            onward = [each["Next"] for each in state.get("Choices", [])]
            onward += [state[key] for key in ("Next", "Default") if key in state]
        return set().union(*(ends(each) for each in onward))

    assert ends("Transform") == {"DeleteFailedModel"}
    assert found["DeleteFailedModel"]["Next"] == "Announce"
    assert found["Announce"]["Next"] == "Failed"


def test_a_lost_answer_makes_no_second_model(house: House) -> None:
    found = scoring(house).definition["States"]
    assert "name.$" in found["WholeFolder"]["Parameters"]  # named before anything is made
    assert found["WhyNoModel"]["Choices"][0]["Next"] == "WhereTo"
    assert found["WhyNoModel"]["Default"] == "Announce"


def test_each_answer_is_written_behind_its_record(house: House) -> None:
    made = scoring(house, records=BatchRecords(sent="$[1:]", kept="$[0,-1]"))
    given = made.definition["States"]["Transform"]["Parameters"]
    assert given["DataProcessing"] == {
        "InputFilter": "$[1:]",
        "JoinSource": "Input",
        "OutputFilter": "$[0,-1]",
    }
    assert given["TransformInput"]["SplitType"] == "Line"
    assert given["TransformOutput"]["AssembleWith"] == "Line"
    assert given["TransformOutput"]["KmsKeyId"]
    assert given["TransformResources"]["VolumeKmsKeyId"]


def test_the_model_is_the_live_version_and_isolated(house: House) -> None:
    made = scoring(house, surroundings=network(house))
    given = made.definition["States"]["MakeModel"]["Parameters"]
    assert given["Containers"] == [{"ModelPackageName.$": "$.live.version"}]
    assert given["EnableNetworkIsolation"] is True
    assert len(given["VpcConfig"]["Subnets"]) == 2


def test_limits_reach_the_job(house: House) -> None:
    limits = BatchLimits(
        instance_type="ml.m5d.xlarge",
        instance_count=2,
        payload_mb=10,
        concurrent=10,
        batched=False,
        answer_seconds=30,
        retries=0,
        max_seconds=900,
    )
    made = scoring(house, limits=limits)
    state = made.definition["States"]["Transform"]
    given = state["Parameters"]
    assert state["TimeoutSeconds"] == 900
    assert (given["BatchStrategy"], given["MaxPayloadInMB"]) == ("SingleRecord", 10)
    assert given["MaxConcurrentTransforms"] == 10
    assert given["ModelClientConfig"] == {
        "InvocationsMaxRetries": 0,
        "InvocationsTimeoutInSeconds": 30,
    }
    # AWS refuses a key for the volume of an instance with disks of its own.
    assert given["TransformResources"] == {"InstanceType": "ml.m5d.xlarge", "InstanceCount": 2}


# --- what they may do ----------------------------------------------------------------------------


def test_the_state_machine_may_do_exactly_what_its_tasks_do(house: House) -> None:
    made = scoring(house)
    found = statements(role(resources(house.stack), "state machine of batch scoring"))
    beside = {
        *("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"),
        "sagemaker:DescribeModelPackage",
        *found["DeliverLogs"]["Action"],
        *found["Trace"]["Action"],
    }
    assert actions(found.values()) == machines.needed(made.definition) | beside
    wide = {sid for sid, each in found.items() if each["Resource"] == "*"}
    assert wide == {"DeliverLogs", "Trace"}


def test_the_state_machine_reaches_this_batchs_things_only(house: House) -> None:
    scoring(house)
    found = statements(role(resources(house.stack), "state machine of batch scoring"))

    def where(sid: str) -> str:
        return str(found[sid]["Resource"])

    assert f":model/{NAME}-*" in where("KeepModels")
    assert f":transform-job/{NAME}-*" in where("RunJobs")
    assert ":model-package/test-churn/*" in where("UsePackages")
    assert "StepFunctionsGetEventsForSageMakerTransformJobsRule" in where("HearOfJobs")
    assert found["FindInput"]["Condition"]["StringLike"] == {"s3:prefix": "churn/batch/in/*"}
    assert found["PassJobRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert "ModelRole" in where("PassJobRole")


def test_the_model_reads_these_folders_and_writes_results(house: House) -> None:
    scoring(house)
    found = statements(role(resources(house.stack), "model of a batch"))
    reads = {sid for sid, each in found.items() if each["Action"] == "s3:GetObject"}
    assert reads == {"ReadModels", "ReadInput"}
    assert "/churn/batch/in/*" in str(found["ReadInput"]["Resource"])
    assert "/churn/batch/out/*" in str(found["WriteResults"]["Resource"])
    assert "/aws/sagemaker/TransformJobs*" in str(found["WriteLogs"]["Resource"])
    wide = {sid for sid, each in found.items() if each["Resource"] == "*"}
    assert wide == {"Measure", "SignInToRegistries"}
    assert not {each for each in actions(found.values()) if each.startswith("ec2:")}


def test_a_schedule_scores_the_whole_folder(house: House) -> None:
    made = scoring(house, schedule="cron(0 3 * * ? *)")
    assert made.schedule is not None
    schedule = resources(house.stack).one("AWS::Scheduler::Schedule")
    assert json.loads(schedule["Target"]["Input"]) == {}
    assert schedule["ScheduleExpression"] == "cron(0 3 * * ? *)"


def test_without_a_schedule_there_is_none(house: House) -> None:
    assert scoring(house).schedule is None
    assert "AWS::Scheduler::Schedule" not in resources(house.stack).types()


def test_whoever_is_granted_may_start_it_and_look(house: House) -> None:
    made = scoring(house)
    person = iam.Role(house.stack, "Person", assumed_by=iam.AccountRootPrincipal())
    made.grant_start(person)
    (policy,) = [
        one
        for one in resources(house.stack).of("AWS::IAM::Policy")
        if "Person" in str(one["Roles"])
    ]
    given = policy["PolicyDocument"]["Statement"]
    assert actions(given) == {"states:StartExecution", "states:DescribeExecution", "kms:Decrypt"}


def test_each_way_to_fail_rings(house: House) -> None:
    scoring(house)
    alarms = resources(house.stack).of("AWS::CloudWatch::Alarm")
    assert {one["MetricName"] for one in alarms} == {
        "ExecutionsAborted",
        "ExecutionsFailed",
        "ExecutionsTimedOut",
    }
    assert all(one["AlarmActions"] for one in alarms)


# --- arguments and judges ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a" * 55}, "1 to 54 letters"),
        ({"images": []}, "images: got none"),
        ({"images": ["mine:1"]}, "got 'mine:1'"),
        ({"records": BatchRecords(sent="1:")}, "records.sent: got '1:'"),
        ({"records": BatchRecords(kept="$" + "a" * 63)}, "records.kept: got '$aaa"),
        (
            {"records": BatchRecords(accept="application/json")},
            "got 'application/json' to be joined with 'text/csv'",
        ),
        ({"limits": BatchLimits(payload_mb=20, concurrent=6)}, "got 6 requests of 20 MB"),
        ({"limits": BatchLimits(payload_mb=0)}, "limits.payload_mb: got 0 MB"),
        ({"limits": BatchLimits(retries=4)}, "limits.retries: got 4"),
        ({"limits": BatchLimits(max_seconds=1)}, "limits.max_seconds: got 1 s"),
        ({"limits": BatchLimits(answer_seconds=3601)}, "limits.answer_seconds"),
        ({"limits": BatchLimits(instance_count=0)}, "limits.instance_count: got 0"),
        ({"limits": BatchLimits(instance_type="m5")}, "limits.instance_type: got 'm5'"),
    ],
)
def test_bad_arguments_are_refused_in_words(
    house: House, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        scoring(house, **changes)


def test_results_inside_the_input_are_refused(house: House) -> None:
    inside = S3Folder(bucket=house.models, prefix="churn/batch/in/out/")
    with pytest.raises(ValueError, match="results would be scored again"):
        scoring(house, outputs=inside)


@pytest.mark.parametrize("networked", [False, True])
def test_the_judges_find_nothing(house: House, networked: bool) -> None:
    scoring(
        house,
        schedule="rate(1 day)",
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

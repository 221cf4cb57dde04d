"""The Autopilot state machine: its definition, checked task by task, and its roles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import aws_cdk as cdk
import botocore.session
import pytest
from aws_cdk import aws_iam as iam
from botocore.validate import ParamValidator

from sagelens import EncryptionKey, Network, PrivateNetwork, SecureBucket
from sagelens.alarm_topic import AlarmTopic
from sagelens.automl_training import AutoMLLimits, AutoMLTraining
from sagelens.s3_folder import S3Folder
from tests.constructs.conftest import Resources, actions, resources, statements

MODEL: Any = botocore.session.Session().get_service_model("sagemaker")


def made(stack: cdk.Stack, **changes: Any) -> AutoMLTraining:
    key = EncryptionKey(stack, "Key")
    data = SecureBucket(stack, "Data", encryption_key=key)
    models = SecureBucket(stack, "Models", encryption_key=key)
    given: dict[str, Any] = {
        "name": "churn",
        "data": S3Folder(bucket=data, prefix="churn/customers/"),
        "target": "Churn",
        "artifacts": S3Folder(bucket=models, prefix="churn/autopilot/"),
        "model_group_name": "sagelens-dev-churn-autopilot",
        "encryption_key": key,
        "alarm_topic": AlarmTopic(stack, "Alarms", encryption_key=key),
        **changes,
    }
    return AutoMLTraining(stack, "Autopilot", **given)


def states(stack: cdk.Stack, **changes: Any) -> dict[str, Any]:
    return made(stack, **changes).definition["States"]


def role(found: Resources, description: str) -> dict[str, Any]:
    (one,) = [each for each in found.of("AWS::IAM::Role") if description in each["Description"]]
    return one


# --- the definition ------------------------------------------------------------------------------


def api_name(shape: Any, key: str) -> str:
    """The API's member that Step Functions shows under this name."""
    for member in shape.members:
        head = re.match(r"[A-Z](?:[A-Z](?![a-z]))*", member)
        shown = head[0].capitalize() + member[head.end() :] if head else member
        if shown == key:
            return member
    raise AssertionError(f"{shape.name} has no member {key!r}, but {sorted(shape.members)}")


def plain(value: Any, shape: Any) -> Any:
    """Parameters with their paths replaced by a text or a number, by the API's names."""
    if shape.type_name == "structure":
        found = {}
        for key, each in value.items():
            name = api_name(shape, key.removesuffix(".$"))
            member = shape.members[name]
            if key.endswith(".$"):
                found[name] = {"k": "v"} if member.type_name == "map" else "text"
            else:
                found[name] = plain(each, member)
        return found
    if shape.type_name == "list":
        return [plain(each, shape.member) for each in value]
    if shape.type_name == "map":
        return {
            key.removesuffix(".$"): "text" if key.endswith(".$") else each
            for key, each in value.items()
        }
    return "a token of the stack" if cdk.Token.is_unresolved(value) else value


def test_each_tasks_parameters_are_those_of_its_operation(stack: cdk.Stack) -> None:
    tasks = {name: each for name, each in states(stack).items() if each["Type"] == "Task"}
    called: set[str] = set()
    for name, task in tasks.items():
        action = task["Resource"].rpartition(":")[2]
        operation = action[0].upper() + action[1:]
        called.add(operation)
        shape = MODEL.operation_model(operation).input_shape
        report = ParamValidator().validate(plain(task["Parameters"], shape), shape)
        assert not report.has_errors(), f"{name}: {report.generate_report()}"
    assert called == {
        "CreateAutoMLJobV2",
        "DescribeAutoMLJobV2",
        "StopAutoMLJob",
        "CreateModelPackage",
    }


def following(state: dict[str, Any]) -> Iterator[str]:
    for holder in (state, *state.get("Catch", []), *state.get("Choices", [])):
        if "Next" in holder:
            yield holder["Next"]
    if "Default" in state:
        yield state["Default"]


def test_every_state_is_reached_and_leads_to_an_end(stack: cdk.Stack) -> None:
    found = states(stack)
    reached, waiting = set[str](), ["Name"]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(following(found[name]))
    assert reached == set(found)
    for name, state in found.items():
        ends = state.get("End") or state["Type"] in ("Fail", "Succeed")
        assert ends or list(following(state)), name


def test_every_task_is_caught_and_tried_again(stack: cdk.Stack) -> None:
    for name, state in states(stack).items():
        if state["Type"] == "Task":
            assert any(each["ErrorEquals"] == ["States.ALL"] for each in state["Catch"]), name
            assert state["Retry"] and state["TimeoutSeconds"], name


def test_a_lost_answer_makes_neither_a_second_job_nor_a_second_version(stack: cdk.Stack) -> None:
    found = states(stack)
    assert found["Name"]["Next"] == "Search"  # named before the job is made
    assert found["Search"]["Catch"][0] == {
        "ErrorEquals": ["SageMaker.ResourceInUseException"],
        "ResultPath": "$.error",
        "Next": "Wait",
    }
    assert found["Register"]["Parameters"]["ClientToken.$"] == "$.name"


def test_a_job_name_fits(stack: cdk.Stack) -> None:
    longest = "a" * 23
    found = states(stack, name=longest)
    assert found["Name"]["Parameters"]["name.$"].startswith(f"States.Format('{longest}-{{}}'")
    assert len(f"{longest}-00000000") == 32


def test_what_is_registered_answers_as_an_endpoint_must(stack: cdk.Stack) -> None:
    found = states(stack)
    assert found["Contract"]["Result"] == {
        "SAGEMAKER_INFERENCE_OUTPUT": "predicted_label,probability"
    }
    package = found["Register"]["Parameters"]
    (container,) = package["InferenceSpecification"]["Containers"]
    assert container["Environment.$"].startswith("States.JsonMerge(")
    assert package["ModelApprovalStatus"] == "PendingManualApproval"


def test_a_search_has_its_limits(stack: cdk.Stack) -> None:
    limits = AutoMLLimits(
        max_candidates=3, candidate_seconds=600, total_seconds=1200, poll_seconds=30
    )
    found = states(stack, limits=limits)
    tabular = found["Search"]["Parameters"]["AutoMLProblemTypeConfig"]["TabularJobConfig"]
    assert tabular["Mode"] == "ENSEMBLING"
    assert tabular["CompletionCriteria"] == {
        "MaxCandidates": 3,
        "MaxRuntimePerTrainingJobInSeconds": 600,
        "MaxAutoMLJobRuntimeInSeconds": 1200,
    }
    assert found["Wait"]["Seconds"] == 30
    too_long = found["Judge"]["Choices"][-1]
    assert too_long["NumericGreaterThanEquals"] * 30 >= 1200 + 3600
    assert found["TookTooLong"]["Next"] == "Stop"


def test_the_template_carries_the_definition(stack: cdk.Stack) -> None:
    made(stack)
    body = resources(stack).one("AWS::StepFunctions::StateMachine")["DefinitionString"]
    assert "createAutoMLJobV2" in json.dumps(body)
    assert "arn:aws:states" not in json.dumps(body)


# --- the roles -----------------------------------------------------------------------------------


def test_the_state_machine_may_do_this_and_nothing_else(stack: cdk.Stack) -> None:
    made(stack)
    found = statements(role(resources(stack), "state machine"))
    assert set(found) == {
        "SearchForModels",
        "RegisterModels",
        "PassJobRole",
        "EncryptVolumes",
        "UseKey",
        "DeliverLogs",
        "Trace",
    }
    assert found["PassJobRole"]["Condition"] == {
        "StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}
    }
    assert "automl-job/churn-*" in json.dumps(found["SearchForModels"]["Resource"])
    assert all(
        "dev-churn-autopilot" in json.dumps(each) for each in found["RegisterModels"]["Resource"]
    )
    assert found["EncryptVolumes"]["Condition"] == {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    wide = {sid for sid, each in found.items() if each["Resource"] == "*"}
    assert wide == {"DeliverLogs", "Trace"}


def test_the_job_reads_the_table_and_writes_its_own_folder(stack: cdk.Stack) -> None:
    made(stack)
    found = statements(role(resources(stack), "Autopilot read"))
    assert found["ReadData"]["Action"] == "s3:GetObject"
    assert "/churn/customers/*" in json.dumps(found["ReadData"]["Resource"])
    assert "/churn/autopilot/*" in json.dumps(found["WriteArtifacts"]["Resource"])
    assert "JoinNetwork" not in found
    wide = {sid for sid, each in found.items() if each["Resource"] == "*"}
    assert wide == {"PutMetrics", "SignInToImages"}
    assert not any(action.endswith("*") for action in actions(found.values()))


def test_both_roles_are_for_their_service_in_this_account_only(stack: cdk.Stack) -> None:
    made(stack)
    found = resources(stack)
    for description, service in (("state machine", "states"), ("Autopilot read", "sagemaker")):
        (trust,) = role(found, description)["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": f"{service}.amazonaws.com"}
        assert trust["Condition"] == {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }


def test_a_network_brings_its_subnets_and_its_rights(stack: cdk.Stack) -> None:
    key = EncryptionKey(stack, "NetworkKey")
    network = PrivateNetwork(
        stack, "Network", cidr="10.0.0.0/20", services=["sqs"], encryption_key=key
    )
    joined = Network(vpc=network.vpc, security_groups=[network.workload_security_group])
    found = states(stack, network=joined)
    vpc = found["Search"]["Parameters"]["SecurityConfig"]["VpcConfig"]
    assert len(vpc["Subnets"]) == 2
    assert len(vpc["SecurityGroupIds"]) == 1
    assert "JoinNetwork" in statements(role(resources(stack), "Autopilot read"))


# --- around it -----------------------------------------------------------------------------------


def test_every_end_is_told_to_the_topic(stack: cdk.Stack) -> None:
    made(stack)
    rule = resources(stack).one("AWS::Events::Rule")
    assert rule["EventPattern"]["detail"]["status"] == [
        "SUCCEEDED",
        "FAILED",
        "TIMED_OUT",
        "ABORTED",
    ]
    assert "Ref" in rule["Targets"][0]["Arn"]


def test_it_logs_everything_and_is_traced(stack: cdk.Stack) -> None:
    made(stack)
    machine = resources(stack).one("AWS::StepFunctions::StateMachine")
    assert machine["LoggingConfiguration"]["Level"] == "ALL"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}


def test_its_executions_are_under_the_environments_key(stack: cdk.Stack) -> None:
    made(stack)
    found = resources(stack)
    encryption = found.one("AWS::StepFunctions::StateMachine")["EncryptionConfiguration"]
    assert encryption["Type"] == "CUSTOMER_MANAGED_KMS_KEY"
    may = statements(role(found, "state machine"))["UseKey"]
    assert may["Resource"] == encryption["KmsKeyId"]
    assert set(may["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}


def test_whoever_is_granted_may_start_it_and_look(stack: cdk.Stack) -> None:
    training = made(stack)
    person = iam.Role(stack, "Person", assumed_by=iam.AccountRootPrincipal())
    training.grant_start(person)
    found = [
        statement
        for policy in resources(stack).of("AWS::IAM::Policy")
        if "Person" in json.dumps(policy["Roles"])
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    assert actions(found) == {"states:StartExecution", "states:DescribeExecution", "kms:Decrypt"}
    # Of the environment's key, what this state machine encrypted alone.
    (decrypting,) = [one for one in found if one["Action"] == "kms:Decrypt"]
    (context,) = decrypting["Condition"]["StringEquals"].items()
    assert context[0] == "kms:EncryptionContext:aws:states:stateMachineArn"
    assert "StateMachine" in context[1]["Ref"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "a" * 24}, "1 to 23 letters"),
        ({"name": "churn_model"}, "got 'churn_model'"),
        ({"target": ""}, "target: got none"),
        ({"model_group_name": "a_b"}, "model_group_name: got 'a_b'"),
        ({"problem_type": "Regression"}, "problem_type: got 'Regression'"),
        ({"objective": "RMSE"}, "objective: got 'RMSE'"),
        ({"objective": "AUC", "problem_type": "MulticlassClassification"}, "F1macro"),
        ({"limits": AutoMLLimits(max_candidates=0)}, "max_candidates: got 0"),
        ({"limits": AutoMLLimits(total_seconds=2_592_000)}, "entries in the execution's history"),
    ],
)
def test_bad_arguments_are_refused_in_words(
    stack: cdk.Stack, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(words)):
        made(stack, **changes)

"""State machines on the embedded AWS: each does what its role may, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for

STATES = "arn:aws:states:::"
HANDLER = "def handler(event, context):\n    return {'got': event}\n"


def role_for(
    aws: Rehearsal, name: str, *statements: dict[str, Any], trusted: str = "states.amazonaws.com"
) -> str:
    """A role that Step Functions may assume."""
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    if statements:
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy)
    return arn


def allow(action: str, resource: str = "*") -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def run(aws: Rehearsal, role: str, **states: Any) -> dict[str, Any]:
    """Make a state machine of these states, the first one first; start it and wait for its end."""
    client = aws.client("stepfunctions")
    definition = {"StartAt": next(iter(states)), "States": states}
    arn = client.create_state_machine(
        name=role.rpartition("/")[2], definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    execution = client.start_execution(stateMachineArn=arn, input='{"n": 1}')["executionArn"]

    def ended() -> dict[str, Any] | None:
        found = client.describe_execution(executionArn=execution)
        return found if found["status"] != "RUNNING" else None

    return wait_for(ended, what="the end of the execution")


def task(resource: str, parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "Type": "Task",
        "Resource": STATES + resource,
        "Parameters": parameters,
        "End": True,
        **more,
    }


@pytest.fixture
def table(engine: Rehearsal) -> str:
    engine.client("dynamodb").create_table(
        TableName="things",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return "arn:aws:dynamodb:us-east-1:000000000000:table/things"


PUT = {"TableName": "things", "Item": {"pk": {"S": "a"}}}


@pytest.mark.parametrize("resource", ["aws-sdk:dynamodb:putItem", "dynamodb:putItem"])
def test_a_task_needs_its_statement(engine: Rehearsal, table: str, resource: str) -> None:
    may = role_for(engine, "may", allow("dynamodb:PutItem", table))
    assert run(engine, may, Put=task(resource, PUT))["status"] == "SUCCEEDED"
    for name, statement in (
        ("other-table", allow("dynamodb:PutItem", table + "2")),
        ("other-action", allow("dynamodb:GetItem", table)),
    ):
        ended = run(engine, role_for(engine, name, statement), Put=task(resource, PUT))
        assert ended["status"] == "FAILED"
        assert "not authorized to perform: dynamodb:PutItem" in ended["cause"]


def test_answers_have_the_sdks_names(engine: Rehearsal, table: str) -> None:
    role = role_for(engine, "names", allow("dynamodb:DescribeTable", table))
    ended = run(engine, role, Look=task("aws-sdk:dynamodb:describeTable", {"TableName": "things"}))
    found = json.loads(ended["output"])["Table"]
    assert found["TableArn"] == table
    assert found["CreationDateTime"].endswith("Z")
    assert "ResponseMetadata" not in ended["output"]


def test_errors_are_caught_by_the_sdks_names(engine: Rehearsal) -> None:
    role = role_for(engine, "errors", allow("dynamodb:*"))
    look = task(
        "aws-sdk:dynamodb:describeTable",
        {"TableName": "nothing"},
        Catch=[{"ErrorEquals": ["DynamoDb.ResourceNotFoundException"], "Next": "Caught"}],
    )
    ended = run(engine, role, Look=look, Caught={"Type": "Pass", "End": True})
    assert ended["status"] == "SUCCEEDED"
    assert "Status Code: 400" in json.loads(ended["output"])["Cause"]


def test_a_field_or_action_that_the_sdk_lacks_is_refused(engine: Rehearsal, table: str) -> None:
    role = role_for(engine, "wrong", allow("dynamodb:*"))
    ended = run(engine, role, Put=task("aws-sdk:dynamodb:putItem", {**PUT, "tableName": "x"}))
    assert 'The field "tableName" is not supported by Step Functions' in ended["cause"]
    role = role_for(engine, "unknown", allow("dynamodb:*"))
    ended = run(engine, role, Put=task("aws-sdk:dynamodb:putThing", PUT))
    assert "has no operation 'putThing'" in ended["cause"]


def test_the_sdks_names_lower_a_leading_acronym_only(engine: Rehearsal) -> None:
    """Of SageMaker's AutoML operations, whose members hold capitals in the middle."""
    role = role_for(engine, "acronyms", allow("sagemaker:*"))
    names = {"AutoMLJobName": "nothing"}
    ended = run(engine, role, Look=task("aws-sdk:sagemaker:describeAutoMLJobV2", names))
    assert ended["error"].startswith("SageMaker.")
    assert "Could not find nothing" in ended["cause"]
    role = role_for(engine, "acronyms-wrong", allow("sagemaker:*"))
    names = {"AutomlJobName": "nothing"}
    ended = run(engine, role, Look=task("aws-sdk:sagemaker:describeAutoMLJobV2", names))
    assert "allowed are AutoMLJobName" in ended["cause"]


def test_passing_a_role_needs_its_statement(
    engine: Rehearsal, role_with: Callable[..., str]
) -> None:
    passed = role_for(engine, "passed", trusted="sagemaker.amazonaws.com")
    make = task(
        "aws-sdk:sagemaker:createMlflowApp",
        {"Name": "x", "ArtifactStoreUri": "s3://x/y", "RoleArn": passed},
    )
    without = role_for(engine, "without", allow("sagemaker:CreateMlflowApp"))
    ended = run(engine, without, Make=make)
    assert f"not authorized to perform: iam:PassRole on resource: {passed}" in ended["cause"]
    able = role_for(
        engine, "able", allow("sagemaker:CreateMlflowApp"), allow("iam:PassRole", passed)
    )
    assert run(engine, able, Make=make)["status"] == "SUCCEEDED"


def test_optimized_integrations_ask_the_role(
    engine: Rehearsal, role_with: Callable[..., str], function_of: Callable[..., str]
) -> None:
    function = function_of(engine, "echo", HANDLER, role_with(engine, "echo-role", []))
    queue = engine.client("sqs").create_queue(QueueName="q")["QueueUrl"]
    topic = engine.client("sns").create_topic(Name="t")["TopicArn"]
    entry = {"Source": "x", "DetailType": "y", "Detail": {"a": 1}}
    tasks = {
        "lambda:InvokeFunction": task("lambda:invoke", {"FunctionName": function, "Payload": {}}),
        "sqs:SendMessage": task("sqs:sendMessage", {"QueueUrl": queue, "MessageBody": "m"}),
        "sns:Publish": task("sns:publish", {"TopicArn": topic, "Message": "m"}),
        "events:PutEvents": task("events:putEvents", {"Entries": [entry]}),
    }
    for action, state in tasks.items():
        name = action.replace(":", "-")
        ended = run(engine, role_for(engine, f"no-{name}"), Do=state)
        assert ended["status"] == "FAILED"
        assert f"not authorized to perform: {action}" in ended["cause"]
        assert run(engine, role_for(engine, name, allow(action)), Do=state)["status"] == "SUCCEEDED"


def test_a_function_by_its_arn_asks_the_role_too(
    engine: Rehearsal, role_with: Callable[..., str], function_of: Callable[..., str]
) -> None:
    function = function_of(engine, "direct", HANDLER, role_with(engine, "direct-role", []))
    state = {"Type": "Task", "Resource": function, "End": True}
    ended = run(engine, role_for(engine, "may-not"), Do=state)
    assert "lambda:InvokeFunction" in ended["cause"]
    ended = run(engine, role_for(engine, "may", allow("lambda:InvokeFunction", function)), Do=state)
    assert json.loads(ended["output"]) == {"got": {"n": 1}}


def test_what_nobody_knows_how_to_ask_is_refused(engine: Rehearsal) -> None:
    role = role_for(engine, "odd", allow("*"))
    ended = run(engine, role, Do=task("batch:submitJob.sync", {"JobName": "x"}))
    assert "does not know what arn:aws:states:::batch:submitJob.sync asks" in ended["cause"]


def test_branches_act_as_the_role_as_well(engine: Rehearsal, table: str) -> None:
    branch = {"StartAt": "Put", "States": {"Put": task("aws-sdk:dynamodb:putItem", PUT)}}
    both = {"Type": "Parallel", "Branches": [branch, branch], "End": True}
    assert "dynamodb:PutItem" in run(engine, role_for(engine, "branches"), Both=both)["cause"]
    able = role_for(engine, "branches-may", allow("dynamodb:PutItem", table))
    assert run(engine, able, Both=both)["status"] == "SUCCEEDED"


def test_a_role_that_does_not_trust_step_functions_is_refused(engine: Rehearsal) -> None:
    role = role_for(engine, "distrusts", trusted="lambda.amazonaws.com")
    words = "Neither the global service principal states.amazonaws.com"
    with pytest.raises(ClientError, match=words):
        run(engine, role, Pass={"Type": "Pass", "End": True})
    template = {
        "Resources": {
            "Machine": {
                "Type": "AWS::StepFunctions::StateMachine",
                "Properties": {
                    "RoleArn": role,
                    "DefinitionString": json.dumps(
                        {
                            "StartAt": "A",
                            "States": {"A": {"Type": "Pass", "End": True}},
                        }
                    ),
                },
            }
        }
    }
    cloudformation = engine.client("cloudformation")
    cloudformation.create_stack(StackName="machine", TemplateBody=json.dumps(template))

    def reason() -> str:
        events = cloudformation.describe_stack_events(StackName="machine")["StackEvents"]
        return next((e["ResourceStatusReason"] for e in events if words in str(e)), "")

    assert wait_for(reason, what="the refusal")


def test_waits_take_as_long_as_they_are_told(engine: Rehearsal) -> None:
    wait = {"Type": "Wait", "Seconds": 3600, "Next": "End"}
    end = {"Type": "Succeed"}
    engine.scale_waits(0)
    assert run(engine, role_for(engine, "waits"), Wait=wait, End=end)["status"] == "SUCCEEDED"
    with pytest.raises(Exception, match="scale is 0 to 1"):
        engine.scale_waits(2)

"""What an endpoint's template promises."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from sagelens import PrivateNetwork
from sagelens.endpoint_options import AllAtOnce, Canary, Instances, Linear
from sagelens.private_network import Network
from tests.constructs.conftest import Resources, actions, resources, statements
from tests.constructs.hosting.conftest import IMAGE, NAME, TWO, House, variant

CONFIG, MODEL, ENDPOINT = (
    f"AWS::SageMaker::{name}" for name in ("EndpointConfig", "Model", "Endpoint")
)


def body(found: Resources, logical_id: str) -> dict[str, Any]:
    return found.by_id[logical_id]


def role_of(found: Resources) -> dict[str, Any]:
    (role,) = [
        one
        for one in found.of("AWS::IAM::Role")
        if "sagemaker.amazonaws.com" in str(one["AssumeRolePolicyDocument"])
    ]
    return role


def test_serverless_costs_nothing_while_idle_and_makes_no_function(house: House) -> None:
    made = house.endpoint()
    found = resources(house.stack)
    (production,) = found.one(CONFIG)["ProductionVariants"]
    assert production["ServerlessConfig"] == {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    assert "InitialInstanceCount" not in production
    assert made.scaling is None
    assert "AWS::Lambda::Function" not in found.types()
    assert "DeploymentConfig" not in found.one(ENDPOINT)


def test_a_serverless_endpoint_that_bakes_is_watched(house: House) -> None:
    house.endpoint(deployment=AllAtOnce(bake_seconds=60))
    deployment = resources(house.stack).one(ENDPOINT)["DeploymentConfig"]
    assert deployment["BlueGreenUpdatePolicy"]["TerminationWaitInSeconds"] == 60
    assert len(deployment["AutoRollbackConfiguration"]["Alarms"]) == 2


def test_endpoint_keeps_its_name_and_models_have_none(house: House) -> None:
    house.endpoint(variant(TWO))
    found = resources(house.stack)
    assert found.one(ENDPOINT)["EndpointName"] == NAME
    assert found.one(ENDPOINT)["RetainAllVariantProperties"] is True
    assert "ModelName" not in found.one(MODEL)
    assert "EndpointConfigName" not in found.one(CONFIG)
    assert set(found.by_id) >= {"TestChurnModelMain", "TestChurnConfig", "TestChurn"}
    (production,) = found.one(CONFIG)["ProductionVariants"]
    assert production["ModelName"] == {"Fn::GetAtt": ["TestChurnModelMain", "ModelName"]}
    assert production["VariantName"] == "main"


def test_replaced_models_and_configurations_stay_and_the_stack_takes_its_own_along(
    house: House,
) -> None:
    house.endpoint(variant(TWO))
    found = resources(house.stack)
    for logical_id in ("TestChurnModelMain", "TestChurnConfig"):
        assert body(found, logical_id)["UpdateReplacePolicy"] == "Retain"
        assert body(found, logical_id)["DeletionPolicy"] == "Delete"


def test_before_the_first_approval_there_is_no_endpoint_but_its_alarms_are(house: House) -> None:
    house.endpoint(
        variant(TWO, name="main"),
        only_if=house.live.exists,
    )
    found = resources(house.stack)
    conditional = {
        one["Type"] for one in found.by_id.values() if one.get("Condition") == "LiveExistsBF979F34"
    }
    assert conditional == {MODEL, CONFIG, ENDPOINT, "Custom::SagelensScaling"}
    assert not any(
        "Condition" in one for one in found.by_id.values() if one["Type"] not in conditional
    )


def test_a_deployment_of_code_reads_the_live_version_anew(house: House) -> None:
    """The template holds the parameter's name, its type makes CloudFormation read the value."""
    live = house.live
    house.endpoint(variant(), only_if=live.exists)
    assembly = house.stack.node.root
    assert isinstance(assembly, cdk.App)
    template = assembly.synth().get_stack_by_name("Stranger").template
    parameter = template["Parameters"]["LiveVersion"]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert parameter["Default"] == "/test/live/churn"
    assert template["Conditions"] == {
        "LiveExistsBF979F34": {"Fn::Not": [{"Fn::Equals": [{"Ref": "LiveVersion"}, "none"]}]}
    }


def test_canary_and_linear_are_rolled_back_by_the_alarms(house: House) -> None:
    house.endpoint(variant(TWO), deployment=Canary(percent=10, bake_seconds=120))
    deployment = resources(house.stack).one(ENDPOINT)["DeploymentConfig"]
    assert deployment["BlueGreenUpdatePolicy"] == {
        "TerminationWaitInSeconds": 120,
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "WaitIntervalInSeconds": 120,
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 10},
        },
    }
    names = [one["AlarmName"] for one in deployment["AutoRollbackConfiguration"]["Alarms"]]
    found = resources(house.stack)
    alarms = [body(found, name["Ref"])["Properties"]["AlarmName"] for name in names]
    assert alarms == ["test-churn-main-errors", "test-churn-main-latency"]


def test_linear(house: House) -> None:
    house.endpoint(variant(TWO), deployment=Linear(percent=25, bake_seconds=60))
    policy = resources(house.stack).one(ENDPOINT)["DeploymentConfig"]["BlueGreenUpdatePolicy"]
    assert policy["TrafficRoutingConfiguration"] == {
        "Type": "LINEAR",
        "WaitIntervalInSeconds": 60,
        "LinearStepSize": {"Type": "CAPACITY_PERCENT", "Value": 25},
    }


def test_captured_requests_are_encrypted_text(house: House) -> None:
    house.endpoint(variant(TWO), capture=house.capture)
    capture = resources(house.stack).one(CONFIG)["DataCaptureConfig"]
    assert capture["InitialSamplingPercentage"] == 50
    assert [one["CaptureMode"] for one in capture["CaptureOptions"]] == ["Input", "Output"]
    assert capture["CaptureContentTypeHeader"]["CsvContentTypes"] == ["text/csv"]
    assert "KmsKeyId" in capture


@pytest.mark.parametrize(
    ("kind", "keyed"), [("ml.m5.large", True), ("ml.m5d.large", False), ("ml.g5.xlarge", False)]
)
def test_volumes_are_encrypted_but_where_hardware_does_it(
    house: House, kind: str, keyed: bool
) -> None:
    house.endpoint(variant(Instances(instance_type=kind)))
    assert ("KmsKeyId" in resources(house.stack).one(CONFIG)) is keyed


def test_isolated_and_in_a_network(house: House) -> None:
    private = PrivateNetwork(
        house.stack, "Network", cidr="10.0.0.0/16", services=[], encryption_key=house.key
    )
    network = Network(vpc=private.vpc, security_groups=[private.workload_security_group])
    house.endpoint(variant(TWO), network=network, network_isolation=True)
    found = resources(house.stack)
    model = found.one(MODEL)
    assert model["EnableNetworkIsolation"] is True
    assert len(model["VpcConfig"]["Subnets"]) == 2
    assert len(model["VpcConfig"]["SecurityGroupIds"]) == 1
    granted = statements(role_of(found))
    assert {"JoinNetwork", "ManageInterfaces", "LookAtNetwork"} <= set(granted)
    assert "*" not in str(granted["JoinNetwork"]["Resource"]).replace("interface/*", "")


def test_role_may_read_its_models_pull_its_image_and_write_its_logs(house: House) -> None:
    house.endpoint(variant())
    role = role_of(resources(house.stack))
    trust = role["AssumeRolePolicyDocument"]["Statement"][0]["Condition"]
    assert trust == {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}}
    granted = statements(role)
    assert actions(granted.values()) == {
        "cloudwatch:DescribeAlarms",
        "cloudwatch:PutMetricData",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "s3:GetObject",
        "s3:ListBucket",
    }
    assert str(granted["ReadModel"]["Resource"]).endswith("'/churn/*']]}")
    assert granted["FindModel1"]["Condition"] == {"StringLike": {"s3:prefix": "churn/*"}}
    assert IMAGE.split("/")[1].split(":")[0] in str(granted["PullImages"]["Resource"])
    assert "/aws/sagemaker/Endpoints/test-churn:*" in str(granted["WriteLogs"]["Resource"])
    everywhere = {sid for sid, one in granted.items() if one["Resource"] == "*"}
    assert everywhere == {"SignInToRegistries", "Measure"}
    assert granted["Measure"]["Condition"] == {
        "StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}
    }


def test_role_writes_captured_requests_only_with_capture(house: House) -> None:
    house.endpoint(variant(TWO), capture=house.capture)
    granted = statements(role_of(resources(house.stack)))
    assert str(granted["Capture"]["Resource"]).endswith("'/captured/*']]}")
    assert granted["Capture"]["Action"] == "s3:PutObject"
    assert granted["EncryptCaptured"]["Action"] == "kms:GenerateDataKey"


def test_logs_are_encrypted_and_end(house: House) -> None:
    house.endpoint(log_retention_days=90)
    (group,) = [
        one
        for one in resources(house.stack).of("AWS::Logs::LogGroup")
        if one.get("LogGroupName") == "/aws/sagemaker/Endpoints/test-churn"
    ]
    assert group["RetentionInDays"] == 90
    assert "KmsKeyId" in group


def test_scaling_stands_around_the_endpoint(house: House) -> None:
    house.endpoint(variant(TWO), scaling_function=house.scaling)
    found = resources(house.stack)
    three = {k: v for k, v in found.by_id.items() if v["Type"] == "Custom::SagelensScaling"}
    by_role = {one["Properties"]["Role"]: (k, one) for k, one in three.items()}
    (keep_id, keep), (off_id, off), (_, on) = (by_role[role] for role in ("Keep", "Off", "On"))
    assert "DependsOn" not in keep
    assert off["DependsOn"] == [keep_id]
    assert off_id in body(found, "TestChurn")["DependsOn"]
    assert on["DependsOn"] == ["TestChurn"]
    for one in (keep, off, on):
        assert one["Properties"]["InstanceTypes"] == {"main": "ml.m5.large"}
        assert one["Properties"]["Scaling"] == {
            "main": {"Least": 2, "Most": 4, "Target": 100, "PauseIn": 300, "PauseOut": 60}
        }
    assert not any("ApplicationAutoScaling" in type for type in found.types())


def test_an_endpoint_without_scaling_can_change_its_type_too(house: House) -> None:
    house.endpoint(variant(Instances(instance_type="ml.m5.large")))
    scaled = resources(house.stack).of("Custom::SagelensScaling")
    assert [one["Scaling"] for one in scaled] == [{}, {}, {}]


def test_scaling_function_is_narrowed_to_its_endpoints(house: House) -> None:
    house.endpoint(variant(TWO), scaling_function=house.scaling)
    (role,) = [
        one for one in resources(house.stack).of("AWS::IAM::Role") if "Scale" in statements(one)
    ]
    granted = statements(role)
    assert granted["Scale"]["Condition"]["StringEquals"] == {
        "application-autoscaling:service-namespace": "sagemaker",
        "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
    }
    assert ":endpoint/test-*" in str(granted["ScaleEndpoints"]["Resource"])
    assert ":alarm:TargetTracking-endpoint/test-*/variant/*" in str(
        granted["WatchLoad"]["Resource"]
    )
    assert ":stack/test-*/*" in str(granted["SeeRollBack"]["Resource"])
    assert granted["MakeLinkedRole"]["Condition"] == {
        "StringEquals": {"iam:AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}
    }
    assert not [sid for sid, one in granted.items() if one["Resource"] == "*"]


def test_alarms_watch_every_variant_and_tell_the_topic(house: House) -> None:
    made = house.endpoint(variant(TWO), variant(TWO, name="challenger", weight=0.1))
    found = resources(house.stack).of("AWS::CloudWatch::Alarm")
    watched = {
        (one["MetricName"], dimension["Value"])
        for one in found
        for dimension in one["Dimensions"]
        if dimension["Name"] == "VariantName"
    }
    assert watched == {
        (metric, name)
        for name in ("main", "challenger")
        for metric in (
            "Invocation5XXErrors",
            "ModelLatency",
            "Invocation4XXErrors",
            "CPUUtilization",
            "MemoryUtilization",
        )
    }
    assert all(one["AlarmActions"] and one["TreatMissingData"] == "notBreaching" for one in found)
    latency = next(one for one in found if one["MetricName"] == "ModelLatency")
    assert (latency["ExtendedStatistic"], latency["Threshold"]) == ("p99", 1_000_000)
    assert len(made.alarms.rollback) == 4


def test_dashboard_shows_calls_errors_latency_hosts_and_drift(house: House) -> None:
    drift = cloudwatch.Metric(namespace="Sagelens", metric_name="DriftPsi")
    house.endpoint(variant(TWO), drift=[drift])
    page = str(resources(house.stack).one("AWS::CloudWatch::Dashboard")["DashboardBody"])
    for name in ("Invocations", "4XXErrors", "5XXErrors", "p50", "p99", "CPUUtil", "MemoryUtil"):
        assert name in page
    assert "DriftPsi" in page


def test_grant_invoke_is_for_this_endpoint_alone(house: House) -> None:
    made = house.endpoint()
    caller = iam.Role(house.stack, "Caller", assumed_by=iam.AccountRootPrincipal())
    made.grant_invoke(caller)
    (policy,) = resources(house.stack).of("AWS::IAM::Policy")
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "sagemaker:InvokeEndpoint"
    assert str(statement["Resource"]).endswith("':endpoint/test-churn']]}")


def test_metrics_name_endpoint_and_variant(house: House) -> None:
    made = house.endpoint(variant(TWO))
    cpu = made.metric("CPUUtilization", statistic="Average")
    assert (cpu.namespace, cpu.statistic) == ("/aws/sagemaker/Endpoints", "Average")
    assert made.metric_invocations().namespace == "AWS/SageMaker"
    assert made.metric_latency().statistic == "p99"
    assert made.metric_errors().dimensions == {"EndpointName": NAME, "VariantName": "main"}


def test_several_variants_keep_their_weights_and_models(house: House) -> None:
    house.endpoint(variant(TWO, weight=9), variant(TWO, name="next", weight=1))
    found = resources(house.stack)
    weights = {
        one["VariantName"]: (one["InitialVariantWeight"], one["ModelName"]["Fn::GetAtt"][0])
        for one in found.one(CONFIG)["ProductionVariants"]
    }
    assert weights == {"main": (9, "TestChurnModelMain"), "next": (1, "TestChurnModelNext")}


def test_variables_of_a_variant_join_those_of_its_package(house: House) -> None:
    house.endpoint(variant(environment={"THREADS": "1"}))
    container = resources(house.stack).one(MODEL)["PrimaryContainer"]
    assert container["Environment"] == {"THREADS": "1"}
    assert "ModelPackageName" in container and "Image" not in container

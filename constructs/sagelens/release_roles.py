"""What a release may do: the state machine's role, and the one that CloudFormation works with."""

from __future__ import annotations

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from constructs import Construct

from .endpoint_names import EndpointNames
from .endpoint_scaling import ScalingFunction
from .job_role import allow, volume_grant
from .release_options import Monitored

_COLON = cdk.ArnFormat.COLON_RESOURCE_NAME


class HostingArns:
    """The ARNs of what a hosting stack holds, from its names alone.

    Models and configurations get names that CloudFormation makes up from their logical ids, which
    begin with the endpoint's; SageMaker has lowered the case of names in ARNs at times, so both
    spellings stand here.

    Args:
        scope: A construct of the partition, Region and account.
        stack_name: The hosting stack.
        endpoint_name: Its endpoint.
        parameter_arn: ARN of the SSM parameter with the live version.
    """

    def __init__(
        self, scope: Construct, *, stack_name: str, endpoint_name: str, parameter_arn: str
    ) -> None:
        stack = cdk.Stack.of(scope)
        names = EndpointNames(endpoint_name)

        def arns(resource: str, stem: str) -> list[str]:
            return [
                stack.format_arn(service="sagemaker", resource=resource, resource_name=f"{each}*")
                for each in (stem, stem.lower())
            ]

        self.endpoint = stack.format_arn(
            service="sagemaker", resource="endpoint", resource_name=endpoint_name
        )
        self.models = arns("model", names.models)
        self.monitor_jobs = arns("data-quality-job-definition", names.monitor)
        self.configurations = arns("endpoint-config", names.configuration)
        self.stack = stack.format_arn(
            service="cloudformation", resource="stack", resource_name=f"{stack_name}/*"
        )
        self.every_alarm = stack.format_arn(
            service="cloudwatch", resource="alarm", resource_name="*", arn_format=_COLON
        )
        qualifier = stack.synthesizer.bootstrap_qualifier or "hnb659fds"
        bootstrap = stack.format_arn(
            service="ssm", resource="parameter", resource_name=f"cdk-bootstrap/{qualifier}/version"
        )
        # Those that the hosting stack's template reads.
        self.parameters = [parameter_arn, bootstrap]


def package_arn(scope: Construct, group_name: str) -> str:
    """The ARN of every version of a model package group."""
    return cdk.Stack.of(scope).format_arn(
        service="sagemaker", resource="model-package", resource_name=f"{group_name}/*"
    )


class ExecutionRole(iam.Role):
    """What CloudFormation may do when a release updates the hosting stack.

    It reaches the stack's models, endpoint configurations, endpoint and the function that scales
    it; roles, functions, alarms and dashboards are for deployments of code, by another role.
    AWS::SageMaker::Model and its like take no other action when only the live version changes.

    A service role is passed within its own account only, and CloudFormation documents no condition
    key for assuming it ("CloudFormation service role").

    Args:
        scope: The parent construct.
        id: The construct's id.
        hosting: The hosting stack's ARNs.
        group_name: The model package group.
        endpoint_role: Execution role of the models.
        scaling_function: Serves the endpoint's scaling, if it runs on instances.
        encryption_key: Key of the instances' volumes.
        monitored: The endpoint's monitoring schedule, if it has one.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        hosting: HostingArns,
        group_name: str,
        endpoint_role: iam.IRole,
        scaling_function: ScalingFunction | None,
        encryption_key: kms.IKey,
        monitored: Monitored | None = None,
    ) -> None:
        made = [*hosting.models, *hosting.configurations, hosting.endpoint]
        passed = [endpoint_role.role_arn]

        def life(name: str) -> list[str]:
            return [f"sagemaker:{verb}{name}" for verb in ("Create", "Delete", "Describe")]

        watching: list[iam.PolicyStatement] = []
        if monitored is not None:
            schedule = cdk.Stack.of(scope).format_arn(
                service="sagemaker",
                resource="monitoring-schedule",
                resource_name=monitored.schedule,
            )
            passed.append(monitored.role.role_arn)
            made += [schedule, *hosting.monitor_jobs]
            watching += [
                allow("KeepMonitor", life("MonitoringSchedule"), [schedule]),
                allow("KeepMonitorJobs", life("DataQualityJobDefinition"), hosting.monitor_jobs),
            ]
        statements = [
            *watching,
            allow("KeepModels", life("Model"), hosting.models),
            allow("KeepConfigurations", life("EndpointConfig"), hosting.configurations),
            allow(
                "KeepEndpoint",
                [*life("Endpoint"), "sagemaker:UpdateEndpoint"],
                [hosting.endpoint, *hosting.configurations],
            ),
            allow("Tag", ["sagemaker:AddTags", "sagemaker:DeleteTags", "sagemaker:ListTags"], made),
            allow(
                "UsePackages",
                ["sagemaker:DescribeModelPackage"],
                [package_arn(scope, group_name)],
            ),
            allow(
                "PassEndpointRole",
                ["iam:PassRole"],
                passed,
                {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
            ),
            allow("SeeAlarms", ["cloudwatch:DescribeAlarms"], [hosting.every_alarm]),
            allow("ReadParameters", ["ssm:GetParameters"], hosting.parameters),
            allow("DescribeKey", ["kms:DescribeKey"], [encryption_key.key_arn]),
            volume_grant(encryption_key),
        ]
        if scaling_function is not None:
            statements.append(
                allow(
                    "Scale",
                    ["lambda:InvokeFunction"],
                    [scaling_function.worker.function.function_arn],
                )
            )
        super().__init__(
            scope,
            id,
            description="CloudFormation, when a release changes the live version of a model",
            assumed_by=iam.ServicePrincipal("cloudformation.amazonaws.com"),
            inline_policies={"hosting": iam.PolicyDocument(statements=statements)},
        )


def machine_statements(
    scope: Construct,
    *,
    hosting: HostingArns,
    group_name: str,
    parameter_arn: str,
    table_arn: str,
    execution_role: iam.IRole,
    sample: tuple[s3.IBucket, str],
    bus: events.IEventBus,
    topic: sns.ITopic,
    key: kms.IKey,
) -> list[iam.PolicyStatement]:
    """What the state machine may do.

    Args:
        scope: A construct of the partition, Region and account.
        hosting: The hosting stack's ARNs.
        group_name: The model package group.
        parameter_arn: The SSM parameter with the live version.
        table_arn: The lock table.
        execution_role: Passed to CloudFormation.
        sample: Bucket and key of the stored request.
        bus: Hears of releases.
        topic: Hears of releases.
        key: Key of table, topic and state machine.
    """
    bucket, object_key = sample
    return [
        allow("Lock", ["dynamodb:GetItem", "dynamodb:UpdateItem"], [table_arn]),
        allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key.key_arn]),
        allow("SetLiveVersion", ["ssm:GetParameter", "ssm:PutParameter"], [parameter_arn]),
        allow("ReadParameters", ["ssm:GetParameters"], hosting.parameters),
        allow(
            "LookAtPackages",
            ["sagemaker:DescribeModelPackage"],
            [package_arn(scope, group_name)],
        ),
        # Lists take no resource ("Actions, resources, and condition keys for Amazon SageMaker").
        allow(
            "List",
            [
                "sagemaker:ListEndpointConfigs",
                "sagemaker:ListModelPackages",
                "sagemaker:ListModels",
            ],
            ["*"],
        ),
        allow(
            "UpdateHosting",
            [
                "cloudformation:DescribeStackResource",
                "cloudformation:DescribeStacks",
                "cloudformation:UpdateStack",
            ],
            [hosting.stack],
        ),
        allow(
            "PassExecutionRole",
            ["iam:PassRole"],
            [execution_role.role_arn],
            {"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        ),
        allow(
            "TryEndpoint",
            ["sagemaker:DescribeEndpoint", "sagemaker:InvokeEndpoint"],
            [hosting.endpoint],
        ),
        allow(
            "PruneConfigurations",
            ["sagemaker:DeleteEndpointConfig", "sagemaker:DescribeEndpointConfig"],
            hosting.configurations,
        ),
        allow("PruneModels", ["sagemaker:DeleteModel"], hosting.models),
        allow("SeeAlarms", ["cloudwatch:DescribeAlarms"], [hosting.every_alarm]),
        allow("ReadSample", ["s3:GetObject"], [bucket.arn_for_objects(object_key)]),
        allow("Announce", ["events:PutEvents"], [bus.event_bus_arn]),
        allow("Tell", ["sns:Publish"], [topic.topic_arn]),
        *log_and_trace(),
    ]


def log_and_trace() -> Sequence[iam.PolicyStatement]:
    """Logging and tracing, neither of which takes a resource.

    Sources: "Using CloudWatch Logs to log execution history in Step Functions" and "Trace Step
    Functions request data in AWS X-Ray".
    """
    return [
        allow(
            "DeliverLogs",
            [
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
            ],
            ["*"],
        ),
        allow(
            "Trace",
            [
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ],
            ["*"],
        ),
    ]

"""An approved model version goes live by itself, and comes back when it does not work."""

from __future__ import annotations

import math
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .endpoint_names import EndpointNames
from .errors import ArgumentErrors
from .job_role import allow
from .live_version import LiveVersion
from .log_group import LogGroup
from .release_definition import release_definition
from .release_options import HostingStack, ReleasePace, SmokeTest
from .release_places import ReleasePlaces
from .release_roles import ExecutionRole, HostingArns, machine_statements
from .release_trigger import ReleaseTrigger
from .state_machine import encrypted_state_machine, state_machine_metric, states_principal

EVENTS_A_LOOK = 24
MOST_EVENTS = 25_000
"""Entries in an execution's history ("Step Functions service quotas")."""
MOST_TRIGGERS = 5
"""Roll-back triggers of a stack ("RollbackConfiguration", AWS CloudFormation API Reference)."""


class ReleaseOnApproval(Construct):
    """Approval or rejection of a model package → state machine → hosting stack updated.

    What it does step by step stands in ``docs/hosting.md``.

    Sources: "Events that Amazon SageMaker AI sends to Amazon EventBridge" (model package state
    change; several events may tell of one change), "UpdateStack" (AWS CloudFormation API
    Reference), "Learning to use AWS service SDK integrations in Step Functions".

    Args:
        scope: The parent construct.
        id: The construct's id.
        model_group_name: Model package group whose versions are released.
        live_version: The parameter that says which one is live.
        hosting: The stack to update.
        smoke_test: What a version must answer.
        bus: Event bus that hears of each release.
        alarm_topic: Hears of each release, and of each failure.
        encryption_key: Key of the table, the queue, the logs and the state machine.
        keep: How many old models and configurations of each variant stay, at least 1.
        pace: How long it waits.
        log_retention_days: Days to keep the state machine's logs.
        removal_policy: What becomes of lock table, queue and logs when the stack is deleted.

    Attributes:
        state_machine: The state machine.
        state_machine_role: What it may do.
        execution_role: What CloudFormation may do for it.
        lock_table: One item an endpoint: who releases, and what was released last.
        trigger: The rule, its role and its dead-letter queue.
        failed_alarm: Rings when a release failed, whatever the reason.
        stuck_alarm: Rings when a release took too long and was given up.
        log_group: Where the state machine logs.
        definition: The state machine's definition, as plain data.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        model_group_name: str,
        live_version: LiveVersion,
        hosting: HostingStack,
        smoke_test: SmokeTest,
        bus: events.IEventBus,
        alarm_topic: sns.ITopic,
        encryption_key: kms.IKey,
        keep: int = 3,
        pace: ReleasePace = ReleasePace(),
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._check(hosting, smoke_test, keep, pace)
        self._key = encryption_key
        self.lock_table = self._lock_table(removal_policy)
        self.log_group = LogGroup(
            self,
            "Logs",
            encryption_key=encryption_key,
            retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        arns = HostingArns(
            self,
            stack_name=hosting.stack_name,
            endpoint_name=hosting.endpoint_name,
            parameter_arn=live_version.parameter_arn,
        )
        self.execution_role = ExecutionRole(
            self,
            "ExecutionRole",
            hosting=arns,
            group_name=model_group_name,
            endpoint_role=hosting.endpoint_role,
            scaling_function=hosting.scaling_function,
            monitored=hosting.monitored,
            encryption_key=encryption_key,
        )
        self.state_machine_role = self._machine_role(
            machine_statements(
                self,
                hosting=arns,
                group_name=model_group_name,
                parameter_arn=live_version.parameter_arn,
                table_arn=self.lock_table.table_arn,
                execution_role=self.execution_role,
                sample=(smoke_test.bucket, smoke_test.key),
                bus=bus,
                topic=alarm_topic,
                key=encryption_key,
            )
        )
        places = self._places(
            model_group_name, live_version, hosting, smoke_test, bus, alarm_topic, keep, pace
        )
        self.definition = release_definition(
            places, timeout_seconds=round(3600 * pace.timeout_hours)
        )
        self.state_machine = encrypted_state_machine(
            self,
            "StateMachine",
            role=self.state_machine_role,
            definition=self.definition,
            encryption_key=encryption_key,
            log_group=self.log_group,
        )
        self.state_machine.node.add_dependency(live_version.resource)
        self._let_it_see_its_executions()
        self.trigger = ReleaseTrigger(
            self,
            "Trigger",
            model_group_name=model_group_name,
            state_machine=self.state_machine,
            encryption_key=encryption_key,
            alarm_topic=alarm_topic,
            removal_policy=removal_policy,
        )
        self._watch(hosting.endpoint_name, alarm_topic)

    def _check(
        self, hosting: HostingStack, smoke_test: SmokeTest, keep: int, pace: ReleasePace
    ) -> None:
        errors = ArgumentErrors(f"ReleaseOnApproval {self.node.path}")
        errors.require(
            smoke_test.answer_path.startswith("$"),
            f"smoke_test.answer_path: got {smoke_test.answer_path!r}, allowed is a JSONPath such "
            "as '$.predictions[0].score'",
        )
        errors.require(
            smoke_test.least <= smoke_test.most,
            f"smoke_test: got least {smoke_test.least:g} and most {smoke_test.most:g}, allowed is "
            "least <= most",
        )
        errors.between("hosting.variants", len(hosting.variants), 1, MOST_TRIGGERS)
        errors.between("keep", keep, 1, 50)
        errors.between("pace.poll_seconds", pace.poll_seconds, 1, 300, unit="s")
        errors.between("pace.timeout_hours", pace.timeout_hours, 0.25, 24, unit="h")
        looks = math.ceil(3600 * pace.timeout_hours / max(1, pace.poll_seconds))
        errors.require(
            EVENTS_A_LOOK * looks <= MOST_EVENTS,
            f"pace: looking every {pace.poll_seconds} s for {pace.timeout_hours:g} h makes about "
            f"{EVENTS_A_LOOK * looks:,} entries in the execution's history, allowed are "
            f"{MOST_EVENTS:,}",
        )
        errors.throw()

    def _lock_table(self, removal_policy: cdk.RemovalPolicy) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "Lock",
            partition_key=dynamodb.Attribute(name="endpoint", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self._key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=removal_policy,
        )

    def _machine_role(self, statements: Sequence[iam.PolicyStatement]) -> iam.Role:
        return iam.Role(
            self,
            "StateMachineRole",
            description="The state machine that releases model versions",
            assumed_by=states_principal(),
            inline_policies={"release": iam.PolicyDocument(statements=list(statements))},
        )

    def _places(
        self,
        group: str,
        live: LiveVersion,
        hosting: HostingStack,
        test: SmokeTest,
        bus: events.IEventBus,
        topic: sns.ITopic,
        keep: int,
        pace: ReleasePace,
    ) -> ReleasePlaces:
        names = EndpointNames(hosting.endpoint_name)
        alarms = names.rollback_alarms(hosting.variants)
        # A stack watches five alarms at most; errors come first.
        watched = [*map(names.error_alarm, hosting.variants), *alarms]
        triggers = list(dict.fromkeys(watched))[:MOST_TRIGGERS]
        return ReleasePlaces(
            partition=cdk.Aws.PARTITION,
            endpoint=hosting.endpoint_name,
            group=group,
            parameter=live.parameter_name,
            table=self.lock_table.table_name,
            stack=hosting.stack_name,
            version_parameter=hosting.version_parameter,
            configuration=names.configuration,
            role=self.execution_role.role_arn,
            alarms=alarms,
            alarm_arns=[self._alarm_arn(name) for name in triggers],
            sample_bucket=test.bucket.bucket_name,
            sample_key=test.key,
            content_type=test.content_type,
            answer_path=test.answer_path,
            least=test.least,
            most=test.most,
            model_names=names.models,
            configuration_names=names.configuration,
            keep_models=keep * len(hosting.variants),
            keep_configurations=keep,
            bus=bus.event_bus_name,
            topic=topic.topic_arn,
            poll_seconds=pace.poll_seconds,
            quiet_looks=pace.quiet_looks,
        )

    def _alarm_arn(self, name: str) -> str:
        return cdk.Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=name,
            arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
        )

    def _let_it_see_its_executions(self) -> None:
        """A policy of its own: the role must exist before the state machine that it names."""
        # The action names both kinds of execution; this state machine has none of the second.
        executions = [
            cdk.Stack.of(self).format_arn(
                service="states",
                resource=kind,
                resource_name=f"{self.state_machine.attr_name}:{rest}",
                arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
            )
            for kind, rest in (("execution", "*"), ("express", "*:*"))
        ]
        iam.Policy(
            self,
            "SeeExecutions",
            roles=[self.state_machine_role],
            statements=[allow("SeeHolder", ["states:DescribeExecution"], executions)],
        )

    def _watch(self, endpoint_name: str, topic: sns.ITopic) -> None:
        self.failed_alarm = Alarm(
            self,
            "FailedAlarm",
            metric=self.metric("ExecutionsFailed"),
            description=f"A release at {endpoint_name} failed: its execution says why",
            topic=topic,
        )
        self.stuck_alarm = Alarm(
            self,
            "StuckAlarm",
            metric=self.metric("ExecutionsTimedOut"),
            description=f"A release at {endpoint_name} took too long and was given up",
            topic=topic,
        )

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric of the state machine, summed over a minute.

        Args:
            name: ``ExecutionsStarted``, ``ExecutionsSucceeded``, ``ExecutionsFailed``,
                ``ExecutionsTimedOut`` or ``ExecutionsAborted``.
        """
        return state_machine_metric(self.state_machine.ref, name)

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal start a release by hand, with an approval event as input.

        Args:
            grantee: A role, user or function.
        """
        grantee.grant_principal.add_to_principal_policy(
            allow("StartRelease", ["states:StartExecution"], [self.state_machine.ref])
        )

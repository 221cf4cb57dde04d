"""What turns counted shelves into orders: a function, a state machine, and what starts it."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagelens import FunctionOptions, Network, PythonFunction, S3Folder
from sagelens.job_machine import JobMachine
from sagelens.job_role import allow
from sagelens.machine_trigger import MachineTrigger
from sagelens.release_roles import log_and_trace
from sagelens.state_machine import states_principal
from stacks.foundation_stack import FoundationStack
from stacks.retail_definition import SOURCE, OrderingPlaces, ordering_definition

DOCUMENTS = "retail/readings/"
"""Folder in the data bucket where what each order follows from is kept, to be done again."""


@dataclass(frozen=True, kw_only=True)
class Ordering:
    """How orders are made.

    Args:
        table: The retail table.
        endpoint: Name of the replenishment endpoint.
        wait_seconds: How long until an endpoint that did not answer is asked again.
        give_up_hours: After so long a reading is given up.
        record_days: Days after which an order expires; None keeps it.
    """

    table: dynamodb.ITable
    endpoint: str
    wait_seconds: int
    give_up_hours: int
    record_days: int | None


class ReplenishmentOrders(Construct):
    """Event of a counted shelf → rule → state machine → order.

    Args:
        scope: The parent construct.
        id: The construct's id.
        ordering: How orders are made.
        foundation: The environment's foundation.
        environment_name: Dimension of the metrics.
        function: Size and logs of the function.
        network: Where the function runs; None: outside any network.
        removal_policy: What becomes of logs and of the queue when the stack is deleted.

    Attributes:
        documents: Where what each order follows from is kept.
        worker: The function that gathers and orders, its role and its log group.
        machine: The state machine, its log group and its alarms.
        machine_role: What the state machine may do.
        trigger: The rule that starts it, and the queue of what it could not start.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        ordering: Ordering,
        foundation: FoundationStack,
        environment_name: str,
        function: FunctionOptions,
        network: Network | None,
        removal_policy: cdk.RemovalPolicy,
    ) -> None:
        super().__init__(scope, id)
        self._ordering, self._foundation = ordering, foundation
        self.documents = S3Folder(bucket=foundation.data_bucket, prefix=DOCUMENTS)
        days = ordering.record_days
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="retail.ordering_handler.handler",
            description="Gathers what a forecast takes, and turns forecasts into orders",
            statements=self._function_statements(),
            encryption_key=foundation.encryption_key,
            environment={
                "BUCKET": foundation.data_bucket.bucket_name,
                "ENVIRONMENT": environment_name,
                "RECORD_DAYS": "" if days is None else str(days),
                "TABLE": ordering.table.table_name,
            },
            options=function,
            network=network,
            removal_policy=removal_policy,
        )
        self.machine_role = self._machine_role()
        self.machine = JobMachine(
            self,
            "Machine",
            role=self.machine_role,
            definition=ordering_definition(self._places()),
            what="An order after a shelf reading",
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            log_retention_days=function.log_retention_days,
            removal_policy=removal_policy,
        )
        self.trigger = MachineTrigger(
            self,
            "Trigger",
            pattern={"source": [SOURCE], "detail-type": ["Shelf Counted"]},
            description="Orders after each counted shelf",
            starts="an order",
            undelivered="A counted shelf could not start its order",
            bus_name=foundation.event_bus.event_bus_name,
            state_machine=self.machine.state_machine,
            encryption_key=foundation.encryption_key,
            alarm_topic=foundation.alarm_topic,
            removal_policy=removal_policy,
        )

    def _places(self) -> OrderingPlaces:
        return OrderingPlaces(
            partition=cdk.Aws.PARTITION,
            function=self.worker.function.function_arn,
            endpoint=self._ordering.endpoint,
            bus=self._foundation.event_bus.event_bus_name,
            wait_seconds=self._ordering.wait_seconds,
            timeout_seconds=3600 * self._ordering.give_up_hours,
        )

    def _function_statements(self) -> list[iam.PolicyStatement]:
        table = self._ordering.table.table_arn
        return [
            allow("ReadSales", ["dynamodb:GetItem", "dynamodb:Query"], [table]),
            allow("RecordOrders", ["dynamodb:PutItem"], [table]),
            allow("KeepDocuments", ["s3:GetObject", "s3:PutObject"], [self.documents.objects_arn]),
            self._use_key(),
        ]

    def _machine_role(self) -> iam.Role:
        endpoint = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="endpoint", resource_name=self._ordering.endpoint
        )
        statements = [
            allow("Work", ["lambda:InvokeFunction"], [self.worker.function.function_arn]),
            allow("Forecast", ["sagemaker:InvokeEndpoint"], [endpoint]),
            allow("Announce", ["events:PutEvents"], [self._foundation.event_bus.event_bus_arn]),
            self._use_key(),
            *log_and_trace(),
        ]
        return iam.Role(
            self,
            "MachineRole",
            description="The state machine that orders after shelf readings",
            assumed_by=states_principal(),
            inline_policies={"order": iam.PolicyDocument(statements=statements)},
        )

    def _use_key(self) -> iam.PolicyStatement:
        # Decrypt reads, GenerateDataKey writes: documents, and the executions' own data.
        key = self._foundation.encryption_key.key_arn
        return allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key])

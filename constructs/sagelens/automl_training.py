"""A state machine that lets SageMaker Autopilot find a model and registers the best one."""

from __future__ import annotations

import re

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from .automl_definition import EVENTS_A_POLL, MOST_EVENTS, Search, definition, most_polls
from .automl_job import OBJECTIVES, AutoMLLimits, job_parameters
from .automl_roles import job_role, state_machine_role
from .errors import ArgumentErrors
from .log_group import LogGroup
from .model_group import ModelGroup
from .private_network import Network
from .s3_folder import S3Folder
from .state_machine import encrypted_state_machine, grant_start

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,22}")
_GROUP = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")


class AutoMLTraining(Construct):
    """A state machine: AutoML job on a table → best candidate → check → model package.

    The job is one of SageMaker Autopilot's second version in the mode ENSEMBLING. Start it by
    ``StartExecution`` with any input; it ends with the model package's ARN, or fails with a
    reason. A candidate is refused when its container cannot answer ``predicted_label`` and
    ``probability``, which is what an endpoint of the platform answers. Either end is told to the
    alarm topic.

    Sources: "CreateAutoMLJobV2" (SageMaker API reference); "Configure inference output in
    generated containers", "How to use SageMaker AI execution roles" (Amazon SageMaker AI);
    "Automating Step Functions event delivery with EventBridge" (AWS Step Functions).

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: Job names begin with it: 1 to 23 letters, digits and hyphens, for example ``churn``.
        data: Folder of the table: CSV files with a header line.
        target: Column to foretell.
        artifacts: Where the job writes models and reports.
        model_group_name: Name of the model package group that is made for its models.
        encryption_key: Key of the buckets, volumes, output, logs and state machine.
        alarm_topic: Hears how each execution ended.
        problem_type: ``BinaryClassification`` or ``MulticlassClassification``.
        objective: What makes a candidate the best, one of :data:`OBJECTIVES`.
        limits: How far the search goes.
        network: Where the job runs; by default outside any network of yours.
        log_retention_days: Days to keep the state machine's logs.
        removal_policy: What becomes of logs and model group, with its versions, when the stack is
            deleted.

    Attributes:
        state_machine: The state machine.
        state_machine_role: What it may do.
        job_role: What the AutoML job may do.
        model_group: The model package group.
        log_group: Where the state machine logs.
        definition: The state machine's definition, as plain data.
        end_rule: Tells the topic of each end.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        data: S3Folder,
        target: str,
        artifacts: S3Folder,
        model_group_name: str,
        encryption_key: kms.IKey,
        alarm_topic: sns.ITopic,
        problem_type: str = "BinaryClassification",
        objective: str = "AUC",
        limits: AutoMLLimits = AutoMLLimits(),
        network: Network | None = None,
        log_retention_days: int = 30,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self._check_names(name, target, model_group_name, data, artifacts)
        self._check_search(problem_type, objective, limits)
        self._key = encryption_key
        self.model_group = ModelGroup(
            self,
            "ModelGroup",
            name=model_group_name,
            description=f"Models that Autopilot found for {name}",
            encryption_key=encryption_key,
            log_retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        self.log_group = LogGroup(
            self,
            "Logs",
            encryption_key=encryption_key,
            retention_days=log_retention_days,
            removal_policy=removal_policy,
        )
        self.job_role = job_role(
            self,
            data=data,
            artifacts=artifacts,
            encryption_key=encryption_key,
            networked=network is not None,
        )
        self.state_machine_role = state_machine_role(
            self,
            job_prefix=name,
            model_group_name=model_group_name,
            job_role=self.job_role,
            encryption_key=encryption_key,
        )
        search = Search(
            partition=cdk.Aws.PARTITION,
            prefix=name,
            job=job_parameters(
                data=data,
                target=target,
                artifacts=artifacts,
                key=encryption_key.key_arn,
                role=self.job_role.role_arn,
                problem_type=problem_type,
                objective=objective,
                limits=limits,
                network=network,
            ),
            model_group_name=model_group_name,
            objective=objective,
            poll_seconds=limits.poll_seconds,
            total_seconds=limits.total_seconds,
        )
        self.definition = definition(search)
        self.state_machine = encrypted_state_machine(
            self,
            "StateMachine",
            role=self.state_machine_role,
            definition=self.definition,
            encryption_key=encryption_key,
            log_group=self.log_group,
        )
        # It registers into the group by name.
        self.state_machine.node.add_dependency(self.model_group)
        self.end_rule = self._announce(alarm_topic, name)

    def _check_names(
        self, name: str, target: str, group: str, data: S3Folder, artifacts: S3Folder
    ) -> None:
        errors = ArgumentErrors(f"AutoMLTraining {self.node.path}")
        errors.require(
            bool(_NAME.fullmatch(name)),
            f"name: got {name!r}, allowed are 1 to 23 letters, digits and single hyphens between "
            "them, since a job's name has 32 characters at most",
        )
        errors.require(bool(target), "target: got none, allowed is the name of a column")
        errors.require(
            cdk.Token.is_unresolved(group) or bool(_GROUP.fullmatch(group)),
            f"model_group_name: got {group!r}, allowed are 1 to 63 letters, digits and hyphens",
        )
        for argument, folder in (("data", data), ("artifacts", artifacts)):
            problem = folder.problem()
            errors.require(problem is None, f"{argument}.{problem}")
        errors.throw()

    def _check_search(self, problem_type: str, objective: str, limits: AutoMLLimits) -> None:
        errors = ArgumentErrors(f"AutoMLTraining {self.node.path}")
        allowed = OBJECTIVES.get(problem_type, ())
        errors.require(
            bool(allowed),
            f"problem_type: got {problem_type!r}, allowed are {', '.join(OBJECTIVES)}: an "
            "endpoint answers a label and its probability",
        )
        errors.require(
            not allowed or objective in allowed,
            f"objective: got {objective!r}, allowed for {problem_type} are {', '.join(allowed)}",
        )
        errors.between("limits.max_candidates", limits.max_candidates, 1, 750)
        errors.between("limits.candidate_seconds", limits.candidate_seconds, 60, 2_592_000)
        errors.between("limits.total_seconds", limits.total_seconds, 300, 2_592_000, unit="s")
        errors.between("limits.poll_seconds", limits.poll_seconds, 1, 3_600, unit="s")
        events = EVENTS_A_POLL * most_polls(limits.total_seconds, limits.poll_seconds)
        errors.require(
            events <= MOST_EVENTS,
            f"limits.poll_seconds: looking every {limits.poll_seconds} s for "
            f"{limits.total_seconds:,} s makes about {events:,} entries in the execution's "
            f"history, allowed are {MOST_EVENTS:,}",
        )
        errors.throw()

    def _announce(self, topic: sns.ITopic, name: str) -> events.CfnRule:
        detail = {"status": "$.detail.status", "cause": "$.detail.cause", "run": "$.detail.name"}
        text = f'"Autopilot for {name}: execution <run> ended <status>. <cause>"'
        return events.CfnRule(
            self,
            "EndRule",
            description=f"Tells how each search of Autopilot for {name} ended",
            event_pattern={
                "source": ["aws.states"],
                "detail-type": ["Step Functions Execution Status Change"],
                "detail": {
                    "stateMachineArn": [self.state_machine.ref],
                    "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
                },
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Topic",
                    arn=topic.topic_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map=detail, input_template=text
                    ),
                )
            ],
        )

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal start an execution and see how it goes.

        Args:
            grantee: A role, user or function.
        """
        grant_start(self.state_machine, self._key, grantee)

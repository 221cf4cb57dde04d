"""Raw data become a registered model version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .algorithms import Algorithm
from .debugger_rules import check_debugger
from .errors import ArgumentErrors
from .execution_announcements import ExecutionAnnouncements
from .job_network import SelectedNetwork
from .job_role import JobRole, allow
from .job_tags import tags_of
from .jobs import JobSurroundings, PipelineJobs
from .model_group import ModelGroup
from .pipeline_definition import DefinitionError, size_problem
from .pipeline_role import PipelineRole
from .recipe import Recipe
from .source_archive import SourceArchive
from .training_checks import TrainingChecks
from .training_images import Images
from .training_plan import (
    DataLocation,
    ExecutionStatus,
    Gate,
    Retries,
    RuleAction,
    Tracking,
    Tuning,
)
from .training_requests import TrainingRequests
from .training_steps import TrainingSteps

EXECUTION_ACTIONS = (
    "DescribePipelineDefinitionForExecution",
    "DescribePipelineExecution",
    "ListPipelineExecutionSteps",
    "ListPipelineParametersForExecution",
    "RetryPipelineExecution",
    "StopPipelineExecution",
)


class TrainingPipeline(Construct):
    """Prepare → train or tune → evaluate → track → gate → register, or fail with the reason.

    An Amazon SageMaker Pipeline. Whatever one execution may vary is a parameter of it: ``DataUrl``,
    ``PrepareInstanceType``, ``TrainInstanceType``, ``TrainInstanceCount``,
    ``EvaluateInstanceType`` (where something is evaluated), ``ApprovalStatus``, ``Least`` or
    ``Most`` (the gate's bound), and each hyperparameter under its own name.

    Each execution writes below ``<model>/runs/<execution id>/`` of the bucket ``artifacts``: what
    prepare and evaluate write by step and folder, the model below ``model/``, and checkpoints
    below ``checkpoints/``. So two executions at once never meet.

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: The pipeline's name: lower-case letters, digits and hyphens, 256 at most.
        recipe: The model's scripts, and what they read and write.
        algorithm: What trains, of the catalogue or an image of your own.
        hyperparameters: Its hyperparameters; checked here, and the defaults of the parameters.
        data: Where raw data lie.
        artifacts: Bucket of everything that executions write.
        encryption_key: Key of the buckets and of the jobs' volumes.
        gate: What a model must reach.
        jobs: What the jobs run on.
        surroundings: What they run within.
        source: The code archive.
        model_group: Where versions are registered.
        alarm_topic: Hears of executions that end.
        environment_name: Written into each version's customer metadata.
        tuning: Searches for hyperparameters in place of training once.
        rules: Training rules by name, each to ``warn`` or to ``end`` the job: the script's
            hyperparameter ``rules``, and with ``debugger`` the rules of SageMaker Debugger.
        tracking: Records each run, :class:`Tracking`. It also tells of training rules that a run
            has violated, which rings an alarm.
        debugger: Whether SageMaker Debugger evaluates the rules besides; it is closed to new
            customers, and not every image supports it.
        cache_days: Days in which a step is not run again when nothing of it has changed. AWS
            compares addresses, not what lies there: see docs/training.md. None: always run.
        retries: How often a step is tried again.
        announce: Which statuses of an execution the topic hears of.
        approval_status: Default of ``ApprovalStatus``.
        removal_policy: What becomes of the queue of undelivered announcements.

    Attributes:
        pipeline: The resource.
        pipeline_arn: Its ARN.
        pipeline_name: Its name.
        definition: The definition as data, tokens unresolved.
        job_role: What the jobs may do.
        pipeline_role: What the pipeline itself may do.
        model_group: Where versions are registered.
        announcements: The rule that announces and what it cannot deliver; None if nothing is.
        status_rule: That rule, or None.
        violations_alarm: Rings when a run has violated training rules; None where nothing tracks
            runs, or no rules are looked at.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        recipe: Recipe,
        algorithm: Algorithm,
        hyperparameters: Mapping[str, object],
        data: DataLocation,
        artifacts: s3.IBucket,
        encryption_key: kms.IKey,
        gate: Gate,
        source: SourceArchive,
        model_group: ModelGroup,
        alarm_topic: sns.ITopic,
        environment_name: str,
        jobs: PipelineJobs = PipelineJobs(),
        surroundings: JobSurroundings = JobSurroundings(),
        tuning: Tuning | None = None,
        rules: Mapping[str, RuleAction] | None = None,
        tracking: Tracking | None = None,
        debugger: bool = False,
        cache_days: int | None = None,
        retries: Retries = Retries(),
        announce: Sequence[ExecutionStatus] = ("Succeeded", "Failed", "Stopped"),
        approval_status: str = "PendingManualApproval",
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"TrainingPipeline {self.node.path}")
        checks = TrainingChecks(errors, recipe, algorithm, source)
        checks.of_names(name, environment_name)
        data.check(errors)
        checks.of_recipe()
        checked = checks.of_training(hyperparameters, rules, tuning)
        checks.of_gate(gate, tuning, checked.metrics)
        checks.of_jobs(jobs)
        if debugger:
            check_debugger(algorithm, rules or {}, tunes=tuning is not None, errors=errors)
        checks.of_operation(retries, cache_days, announce, approval_status)
        network = SelectedNetwork.of(surroundings.network, errors)
        images = Images.of(self, recipe, algorithm, jobs, debugger=debugger, errors=errors)
        errors.throw()

        runs = f"{recipe.model}/runs/"
        self.job_role = JobRole(
            self,
            "JobRole",
            data=data,
            source=source,
            artifacts=artifacts,
            runs=runs,
            encryption_key=encryption_key,
            images=images.of_jobs,
            network=network,
        )
        self.pipeline_role = PipelineRole(
            self,
            "PipelineRole",
            job_role=self.job_role,
            tunes=tuning is not None,
            model_group=model_group,
            artifacts=artifacts,
            runs=runs,
            encryption_key=encryption_key,
            functions=[tracking.function_arn] if tracking else [],
        )
        requests = TrainingRequests(
            recipe=recipe,
            algorithm=algorithm,
            hyperparameters=list(checked.hyperparameters),
            metrics=checked.metrics,
            jobs=jobs,
            surroundings=surroundings,
            network=network,
            images=images,
            role_arn=self.job_role.role_arn,
            key_arn=encryption_key.key_arn,
            runs_url=f"s3://{artifacts.bucket_name}/{runs.rstrip('/')}",
            code_url=source.url,
            code_name=source.key.rpartition("/")[2],
            tags=tags_of(lambda: self.pipeline),
            # With caching, a job that cannot be interrupted does without: see docs/training.md.
            keeps_checkpoints=algorithm.checkpoints and (jobs.train.spot or cache_days is None),
            debugger_rules=list(rules or ()) if debugger else [],
        )
        steps = TrainingSteps(
            requests=requests,
            pipeline_name=name,
            environment_name=environment_name,
            defaults=checked.hyperparameters,
            data_url=f"s3://{data.bucket.bucket_name}/{data.prefix}",
            approval_status=approval_status,
            group_name=model_group.name,
            gate=gate,
            tuning=tuning,
            ranges=checked.ranges,
            goal=checked.goal,
            tracking=tracking,
            retries=retries,
            cache_days=cache_days,
        )
        self.definition = steps.definition().document()
        self.model_group = model_group
        self.pipeline_name = name
        self.pipeline_arn = cdk.Stack.of(self).format_arn(
            service="sagemaker", resource="pipeline", resource_name=name
        )
        self.pipeline = self._pipeline(f"Trains {recipe.model} and registers what is good enough")
        self.announcements = self._announcements(
            recipe.model, announce, alarm_topic, encryption_key, removal_policy
        )
        self.status_rule = self.announcements.rule if self.announcements else None
        looks = recipe.trains_by_script(algorithm) and rules != {}
        self.violations_alarm: Alarm | None = None
        if tracking and looks:
            self.violations_alarm = self._violations_alarm(
                recipe.model, environment_name, alarm_topic
            )

    def _violations_alarm(self, model: str, environment: str, topic: sns.ITopic) -> Alarm:
        # A training job's own metrics cannot tell: see Algorithm.reads_own_metrics.
        return Alarm(
            self,
            "ViolationsAlarm",
            metric=cloudwatch.Metric(
                namespace="Sagelens",
                metric_name="RuleViolations",
                dimensions_map={"Environment": environment, "Model": model},
                statistic="Sum",
                period=cdk.Duration.minutes(5),
            ),
            description=f"A training run of {model} has violated training rules that warn; its "
            "model is judged by the gate all the same. The run in MLflow and the tracking "
            "function's log group say which, and why",
            topic=topic,
        )

    def _pipeline(self, description: str) -> sagemaker.CfnPipeline:
        stack = cdk.Stack.of(self)
        body = stack.to_json_string(self.definition)
        pipeline = sagemaker.CfnPipeline(
            self,
            "Pipeline",
            pipeline_name=self.pipeline_name,
            pipeline_description=description,
            pipeline_definition={"PipelineDefinitionBody": body},
            role_arn=self.pipeline_role.role_arn,
        )
        self.pipeline = pipeline
        problem = size_problem(stack.resolve(body))
        if problem:
            raise DefinitionError([problem])
        pipeline.node.add_dependency(self.model_group)
        return pipeline

    def _announcements(
        self,
        model: str,
        statuses: Sequence[ExecutionStatus],
        topic: sns.ITopic,
        encryption_key: kms.IKey,
        removal_policy: cdk.RemovalPolicy,
    ) -> ExecutionAnnouncements | None:
        if not statuses:
            return None
        return ExecutionAnnouncements(
            self,
            "Announcements",
            pipeline_name=self.pipeline_name,
            pipeline_arn=self.pipeline_arn,
            model=model,
            statuses=statuses,
            topic=topic,
            encryption_key=encryption_key,
            removal_policy=removal_policy,
        )

    def grant_start(self, grantee: iam.IGrantable) -> None:
        """Let a principal start executions.

        Args:
            grantee: A role, user or function.
        """
        self._grant(grantee, "StartTraining", ["StartPipelineExecution"], self.pipeline_arn)

    def grant_operate(self, grantee: iam.IGrantable) -> None:
        """Let a principal start, stop, retry and look at executions.

        Args:
            grantee: A role, user or function.
        """
        executions = f"{self.pipeline_arn}/execution/*"
        self._grant(
            grantee,
            "OperateTraining",
            ["DescribePipeline", "ListPipelineExecutions", "StartPipelineExecution"],
            self.pipeline_arn,
        )
        self._grant(grantee, "OperateTrainingExecutions", EXECUTION_ACTIONS, executions)

    def _grant(
        self, grantee: iam.IGrantable, sid: str, actions: Sequence[str], resource: str
    ) -> None:
        statement = allow(sid, [f"sagemaker:{action}" for action in actions], [resource])
        grantee.grant_principal.add_to_principal_policy(statement)

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric of the pipeline, summed over five minutes.

        Source: "SageMaker Pipelines metrics" (Amazon SageMaker AI).

        Args:
            name: ``ExecutionStarted``, ``ExecutionFailed``, ``ExecutionSucceeded`` or
                ``ExecutionStopped``.
        """
        return cloudwatch.Metric(
            namespace="AWS/Sagemaker/ModelBuildingPipeline",
            metric_name=name,
            dimensions_map={"PipelineName": self.pipeline_name},
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        )

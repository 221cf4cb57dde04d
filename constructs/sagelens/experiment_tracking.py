"""Each run of a training pipeline is kept in MLflow: parameters, metrics, plots."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk import aws_sns as sns
from constructs import Construct

from .alarm import Alarm
from .errors import ArgumentErrors
from .mlflow_apps import FUNCTION_ACTIONS, MLFLOW_APP_REGIONS, READ_ACTIONS, WRITE_ACTIONS
from .private_network import Network
from .python_function import FunctionOptions, PythonFunction
from .s3_folder import S3Folder
from .statement import allow

_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")


class ExperimentTracking(Construct):
    """An MLflow app of Amazon SageMaker and the function that writes a pipeline's runs into it.

    A training pipeline invokes the function by one Lambda step after evaluation, with
    :meth:`step_arguments`; each of :attr:`OUTPUTS` is one of the step's output parameters. The
    function never fails the pipeline: see `docs/experiments.md`.

    An app has no instance to pay for. Its ARN is the tracking URI of MLflow clients that have the
    package `sagemaker-mlflow`.

    Sources: "AWS::SageMaker::MlflowApp" (AWS CloudFormation); "Set up IAM permissions for MLflow
    Apps" (Amazon SageMaker AI); "Actions, resources, and condition keys for Amazon SageMaker" and
    "… for Amazon SageMaker with MLflow" (Service Authorization Reference); the PyPI package
    sagemaker-mlflow.

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: Name of the app: letters, digits and hyphens, 256 at most, for example
            ``sagelens-dev``.
        artifacts: Where MLflow keeps artifacts such as plots.
        results: The folders that runs write their results to, for example
            ``S3Folder(bucket=models, prefix="churn/runs/")``; the function reads nothing else.
        encryption_key: Key of those buckets, of the function's logs and variables.
        environment_name: Dimension of the metrics.
        alarm_topic: Hears when a run could not be tracked; no alarm when absent.
        function: Size and logs of the function. A pipeline waits ten minutes for it at most.
        network: Where the function runs; by default outside any network of yours. It must reach
            Amazon S3 and the app, for which AWS documents no VPC endpoint.
        removal_policy: What becomes of the function's logs, and of the app with everything that
            it has recorded, when the stack is deleted.

    Attributes:
        app: The MLflow app.
        app_arn: Its ARN.
        artifacts: Where MLflow keeps artifacts.
        app_role: What the app may do: read and write its artifacts.
        worker: The function, its role and its log group.
        function_arn: For the pipeline's Lambda step.
        failed_alarm: Rings when a run could not be tracked; None without a topic.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    OUTPUTS: Sequence[str] = ("run_id", "experiment_id", "app_arn")
    """What the function answers that fits into a model package's customer metadata."""

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        artifacts: S3Folder,
        results: Sequence[S3Folder],
        encryption_key: kms.IKey,
        environment_name: str,
        alarm_topic: sns.ITopic | None = None,
        function: FunctionOptions = FunctionOptions(timeout_seconds=300),
        network: Network | None = None,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        super().__init__(scope, id)
        self.artifacts = artifacts
        self._encryption_key = encryption_key
        self._environment_name = environment_name
        self._check(name, artifacts, results, function)
        self.app_role = self._app_role()
        self.app = sagemaker.CfnMlflowApp(
            self,
            "App",
            name=name,
            artifact_store_uri=artifacts.url,
            role_arn=self.app_role.role_arn,
            # Models are registered by pipelines, after their gate, and by nobody else.
            model_registration_mode="AutoModelRegistrationDisabled",
        )
        self.app.apply_removal_policy(removal_policy)
        self.app_arn = self.app.attr_arn
        self.worker = PythonFunction(
            self,
            "Worker",
            handler="experiment_tracking.handler.handler",
            description="Writes a training pipeline's run into MLflow",
            statements=self._worker_statements(results),
            encryption_key=encryption_key,
            environment={"ENVIRONMENT": environment_name, "MLFLOW_APP_ARN": self.app_arn},
            options=function,
            network=network,
            removal_policy=removal_policy,
        )
        self.failed_alarm = self._alarm(alarm_topic) if alarm_topic else None

    @property
    def function_arn(self) -> str:
        """ARN of the function that the pipeline's Lambda step invokes."""
        return self.worker.function.function_arn

    def _check(
        self,
        name: str,
        artifacts: S3Folder,
        results: Sequence[S3Folder],
        function: FunctionOptions,
    ) -> None:
        errors = ArgumentErrors(f"ExperimentTracking {self.node.path}")
        errors.require(
            cdk.Token.is_unresolved(name) or bool(_NAME.fullmatch(name)),
            f"name: got {name!r}, allowed are 1 to 256 letters, digits and single hyphens "
            "between them",
        )
        for argument, folder in [
            ("artifacts", artifacts),
            *(("results", each) for each in results),
        ]:
            problem = folder.problem()
            errors.require(problem is None, f"{argument}.{problem}")
        errors.require(bool(results), "results: got none, allowed are one folder or more")
        errors.between("function.timeout_seconds", function.timeout_seconds, 30, 600, unit="s")
        region = cdk.Stack.of(self).region
        errors.require(
            cdk.Token.is_unresolved(region) or region in MLFLOW_APP_REGIONS,
            f"the stack's Region: got {region!r}, which has no MLflow apps; allowed are "
            f"{', '.join(sorted(MLFLOW_APP_REGIONS))}",
        )
        errors.throw()

    def _app_role(self) -> iam.Role:
        return iam.Role(
            self,
            "AppRole",
            description="Lets the MLflow app read and write its artifacts",
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": cdk.Aws.ACCOUNT_ID}},
            ),
            inline_policies={
                "artifacts": iam.PolicyDocument(
                    statements=[*self._artifact_statements("s3:GetObject", "s3:PutObject")]
                )
            },
        )

    def _artifact_statements(self, *actions: str) -> list[iam.PolicyStatement]:
        keys = ["kms:Decrypt", *(["kms:GenerateDataKey"] if "s3:PutObject" in actions else [])]
        return [
            allow("MlflowArtifacts", actions, self.artifacts.objects_arn),
            _list("ListMlflowArtifacts", [self.artifacts]),
            allow("MlflowArtifactsKey", keys, self._encryption_key.key_arn),
        ]

    def _worker_statements(self, results: Sequence[S3Folder]) -> list[iam.PolicyStatement]:
        objects = list(dict.fromkeys(folder.objects_arn for folder in results))
        by_bucket: dict[str, list[S3Folder]] = {}
        for folder in results:
            by_bucket.setdefault(folder.bucket.bucket_arn, []).append(folder)
        return [
            self._call_app("sagemaker:CallMlflowAppApi"),
            self._mlflow("WriteRuns", FUNCTION_ACTIONS),
            allow("ReadResults", ["s3:GetObject"], *objects),
            # The plots, and whether a file is there that cannot be read.
            *(
                _list(f"ListResults{number or ''}", folders)
                for number, folders in enumerate(by_bucket.values())
            ),
            allow("WriteArtifacts", ["s3:PutObject"], self.artifacts.objects_arn),
            allow("UseKey", ["kms:Decrypt", "kms:GenerateDataKey"], self._encryption_key.key_arn),
        ]

    def _call_app(self, *actions: str) -> iam.PolicyStatement:
        return allow("UseMlflowApp", actions, self.app_arn)

    def _mlflow(self, sid: str, names: Sequence[str]) -> iam.PolicyStatement:
        return allow(sid, [f"sagemaker-mlflow:{name}" for name in names], self.app_arn)

    def _alarm(self, topic: sns.ITopic) -> Alarm:
        return Alarm(
            self,
            "FailedAlarm",
            metric=self.metric("RunsNotTracked"),
            description="A training run is not in MLflow; its model is registered all the same. "
            "The function's log group says why, and what to invoke it with again",
            topic=topic,
        )

    def metric(self, name: str) -> cloudwatch.Metric:
        """A metric of the function, summed over five minutes.

        Args:
            name: ``RunsTracked`` or ``RunsNotTracked``.
        """
        return cloudwatch.Metric(
            namespace="Sagelens",
            metric_name=name,
            dimensions_map={"Environment": self._environment_name},
            statistic="Sum",
            period=cdk.Duration.minutes(5),
        )

    def step_arguments(
        self,
        *,
        experiment: str,
        execution_arn: Any,
        training_job: Any,
        model_group: Any,
        model_url: Any,
        model: Any = "",
        evaluation_url: Any = "",
        plots_url: Any = "",
        parameters: Mapping[str, Any] | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """The Lambda step's ``Arguments``; each value is a text or a value of the execution.

        They are flat: ``parameters.<name>`` and ``metrics.<name>`` carry what is given by name.

        Args:
            experiment: The MLflow experiment, for example the pipeline's name.
            execution_arn: ``{"Get": "Execution.PipelineExecutionArn"}``; the run's identity.
            training_job: ``{"Get": "Steps.Train.TrainingJobName"}``.
            model_group: Name of the model package group.
            model_url: ``{"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}``; training.json
                is read from the ``output.tar.gz`` beside it.
            model: The model's name, a dimension of the metric ``RuleViolations``; the experiment's
                if empty.
            evaluation_url: S3 URL of evaluation.json or of the folder it lies in; empty for none.
            plots_url: S3 URL of the folder of plots; empty for none.
            parameters: The run's hyperparameters and other parameters, by name.
            metrics: Final metrics that the pipeline knows, for example
                ``{"validation:auc": {"Get": "Steps.Train.FinalMetricDataList[…].Value"}}``.
        """
        return {
            "experiment": experiment,
            "execution_arn": execution_arn,
            "training_job": training_job,
            "model_group": model_group,
            "model_url": model_url,
            "model": model,
            "evaluation_url": evaluation_url,
            "plots_url": plots_url,
            **{f"parameters.{name}": value for name, value in (parameters or {}).items()},
            **{f"metrics.{name}": value for name, value in (metrics or {}).items()},
        }

    def grant_invoke(self, grantee: iam.IGrantable) -> None:
        """Let a pipeline's role invoke the function.

        Args:
            grantee: A role, user or function.
        """
        grantee.grant_principal.add_to_principal_policy(
            allow("TrackRuns", ["lambda:InvokeFunction"], self.function_arn)
        )

    def grant_read(self, grantee: iam.IGrantable) -> None:
        """Let a principal open the app and look at experiments, runs and artifacts.

        AWS gates everything of an app by ``sagemaker:CallMlflowAppApi``; how far it tells reading
        from writing by the ``sagemaker-mlflow`` actions, it does not say for apps.

        Args:
            grantee: A role, user or function.
        """
        self._grant(grantee, READ_ACTIONS, ("s3:GetObject",))

    def grant_write(self, grantee: iam.IGrantable) -> None:
        """Let a principal do that, and write experiments, runs and artifacts.

        Args:
            grantee: A role, user or function.
        """
        self._grant(grantee, (*READ_ACTIONS, *WRITE_ACTIONS), ("s3:GetObject", "s3:PutObject"))

    def _grant(
        self, grantee: iam.IGrantable, actions: Sequence[str], objects: Sequence[str]
    ) -> None:
        for statement in [
            self._call_app(
                "sagemaker:CallMlflowAppApi",
                "sagemaker:CreatePresignedMlflowAppUrl",
                "sagemaker:DescribeMlflowApp",
            ),
            self._mlflow("UseMlflow", actions),
            # It takes no resource; whose pages, the presigned address says.
            allow("OpenMlflowPages", ["sagemaker-mlflow:AccessUI"], "*"),
            *self._artifact_statements(*objects),
        ]:
            grantee.grant_principal.add_to_principal_policy(statement)


def _list(sid: str, folders: Sequence[S3Folder]) -> iam.PolicyStatement:
    """List the given folders of one bucket."""
    return iam.PolicyStatement(
        sid=sid,
        actions=["s3:ListBucket"],
        resources=[folders[0].bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [f"{folder.prefix}*" for folder in folders]}},
    )

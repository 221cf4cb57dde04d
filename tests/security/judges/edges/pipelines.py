"""SageMaker pipelines: to their jobs, the jobs' data and keys, functions, the registry; MLflow."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.security.judges.edges.checks import (
    Edge,
    check_role,
    check_role_key,
    check_trust,
    role_of,
    unjudged,
)
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

SAGEMAKER = "sagemaker.amazonaws.com"
PIPELINE_PAGE = "Amazon SageMaker AI, Access management (pipelines)"
JOB_PAGE = "Amazon SageMaker AI, How to use SageMaker AI execution roles"
MLFLOW_PAGE = "Amazon SageMaker AI, Set up IAM permissions for MLflow Apps"
SAMPLE = "sample"

# For each type of step that runs a job: what creates it, and the name of the job's ARN.
JOBS = {
    "Processing": ("sagemaker:CreateProcessingJob", "processing-job/pipelines-x-step-y"),
    "Training": ("sagemaker:CreateTrainingJob", "training-job/pipelines-x-step-y"),
    "Tuning": ("sagemaker:CreateHyperParameterTuningJob", "hyper-parameter-tuning-job/any"),
}
# Where jobs read, and where they write: names of the members that hold an S3 address.
READS = {"ProcessingInputs", "InputDataConfig"}
WRITES = {"ProcessingOutputConfig", "OutputDataConfig", "CheckpointConfig"}


def findings(world: World) -> Iterator[Finding]:
    """Judge every pipeline and every MLflow app."""
    for pipeline in world.of("AWS::SageMaker::Pipeline"):
        yield from _pipeline(world, pipeline)
    for app in world.of("AWS::SageMaker::MlflowApp"):
        yield from _app(world, app)


@dataclass(frozen=True)
class _Run:
    """One pipeline as it runs with the defaults of its parameters."""

    world: World
    pipeline: Node
    role: Node
    defaults: Mapping[str, Any]

    def edge(self, rule: str, target: Node, role: Node, page: str) -> Edge:
        return Edge(rule, self.pipeline, target, self.world.arn(role), page)

    def text(self, value: Any) -> str:
        """A value of the definition as a text; what only a run knows is a sample."""
        match value:
            case str():
                return value
            case {"Get": str(name)} if name.startswith("Parameters."):
                return str(self.defaults.get(name.removeprefix("Parameters."), SAMPLE))
            case {"Std:Join": {"On": str(on), "Values": list(values)}}:
                return on.join(map(self.text, values))
            case _:
                return SAMPLE


def _pipeline(world: World, pipeline: Node) -> Iterator[Finding]:
    properties = world.properties(pipeline)
    role = role_of(world, properties.get("RoleArn"))
    body = properties.get("PipelineDefinition", {}).get("PipelineDefinitionBody")
    if role is None or not isinstance(body, str):
        yield unjudged(pipeline, "its role or its definition is not in these templates")
        return
    definition = json.loads(body)
    defaults = {one["Name"]: one.get("DefaultValue") for one in definition["Parameters"]}
    run = _Run(world, pipeline, role, defaults)
    edge = run.edge("pipeline-to-role", role, role, PIPELINE_PAGE)
    yield from check_trust(world, edge, role, SAGEMAKER)
    for step in _steps(definition["Steps"]):
        yield from _step(run, step)


def _steps(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from _steps(step.get("Arguments", {}).get(branch, []))


def _step(run: _Run, step: Mapping[str, Any]) -> Iterator[Finding]:
    kind = step["Type"]
    arguments = step.get("Arguments", {})
    if kind in JOBS:
        yield from _job(run, kind, arguments)
    elif kind == "Lambda":
        yield from _function(run, step)
    elif kind == "RegisterModel":
        yield from _register(run, arguments)
    elif kind not in ("Condition", "Fail"):
        yield unjudged(run.pipeline, f"steps of the type {kind} ({step['Name']})")


def _job(run: _Run, kind: str, arguments: Mapping[str, Any]) -> Iterator[Finding]:
    world = run.world
    holder = arguments.get("TrainingJobDefinition", arguments)
    job_role = role_of(world, holder.get("RoleArn"))
    if job_role is None:
        yield unjudged(run.pipeline, f"the role of a {kind} job is not in these templates")
        return
    action, name = JOBS[kind]
    account, region = world.account(run.pipeline.stack), world.region(run.pipeline.stack)
    arn = f"arn:{world.place.partition}:sagemaker:{region}:{account}:{name}"
    edge = run.edge("pipeline-to-job", job_role, run.role, PIPELINE_PAGE)
    yield from check_role(world, edge, run.role, action, arn)
    passed = {"iam:passedtoservice": SAGEMAKER}
    yield from check_role(world, edge, run.role, "iam:PassRole", context=passed)
    yield from check_trust(world, edge, job_role, SAGEMAKER)
    for member, value in holder.items():
        if member in READS | WRITES:
            action = "s3:GetObject" if member in READS else "s3:PutObject"
            yield from _objects(run, job_role, value, action)
    yield from _volumes(run, job_role, holder)


def _objects(run: _Run, job_role: Node, value: Any, action: str) -> Iterator[Finding]:
    """Judge a job's way to what it reads or writes; what another step made is judged there."""
    for url in _urls(run, value):
        bucket_name, _, key = url.removeprefix("s3://").partition("/")
        bucket = run.world.find(bucket_name, "AWS::S3::Bucket")
        if bucket is None:
            continue  # the code archive, in the bucket of CDK's assets: the role's own statement
        edge = run.edge("job-to-bucket", bucket, job_role, JOB_PAGE)
        resource = f"{run.world.arn(bucket)}/{key.rstrip('/')}/{SAMPLE}"
        yield from check_role(run.world, edge, job_role, action, resource)
        kms = ("kms:Decrypt",) if action == "s3:GetObject" else ("kms:GenerateDataKey",)
        yield from check_role_key(run.world, edge, job_role, kms, "s3")


def _urls(run: _Run, value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _urls(run, item)
    elif isinstance(value, dict):
        text = run.text(value)
        if text.startswith("s3://"):
            yield text
        elif text == SAMPLE:
            for item in value.values():
                yield from _urls(run, item)
    elif isinstance(value, str) and value.startswith("s3://"):
        yield value


def _volumes(run: _Run, job_role: Node, arguments: Mapping[str, Any]) -> Iterator[Finding]:
    cluster = arguments.get("ProcessingResources", {}).get("ClusterConfig", {})
    identifier = {**cluster, **arguments.get("ResourceConfig", {})}.get("VolumeKmsKeyId")
    key = run.world.find(identifier, "AWS::KMS::Key")
    if key is None:
        return
    grant = {"kms:grantisforawsresource": "true"}
    for role in (run.role, job_role):
        edge = run.edge("job-to-volume-key", key, role, JOB_PAGE)
        yield from check_role(run.world, edge, role, "kms:CreateGrant", context=grant)


def _function(run: _Run, step: Mapping[str, Any]) -> Iterator[Finding]:
    function = run.world.find(step.get("FunctionArn"), "AWS::Lambda::Function")
    if function is None:
        yield unjudged(run.pipeline, f"the function {step.get('FunctionArn')}")
        return
    edge = run.edge("pipeline-to-function", function, run.role, PIPELINE_PAGE)
    yield from check_role(run.world, edge, run.role, "lambda:InvokeFunction")


def _register(run: _Run, arguments: Mapping[str, Any]) -> Iterator[Finding]:
    name = run.text(arguments.get("ModelPackageGroupName"))
    found = [
        node for node in run.world.of("AWS::SageMaker::ModelPackageGroup")
        if name in (run.world.name(node), run.world.arn(node))
    ]  # fmt: skip
    if not found:
        yield unjudged(run.pipeline, f"the model package group {name}")
        return
    edge = run.edge("pipeline-to-registry", found[0], run.role, PIPELINE_PAGE)
    yield from check_role(run.world, edge, run.role, "sagemaker:CreateModelPackage")


def _app(world: World, app: Node) -> Iterator[Finding]:
    properties = world.properties(app)
    role = role_of(world, properties.get("RoleArn"))
    url = str(properties.get("ArtifactStoreUri", ""))
    bucket_name, _, key = url.removeprefix("s3://").partition("/")
    bucket = world.find(bucket_name, "AWS::S3::Bucket")
    if role is None or bucket is None:
        yield unjudged(app, f"its role or its store {url} is not in these templates")
        return
    edge = Edge("mlflow-to-artifacts", app, bucket, world.arn(role), MLFLOW_PAGE)
    yield from check_trust(world, edge, role, SAGEMAKER)
    for action in ("s3:GetObject", "s3:PutObject"):
        resource = f"{world.arn(bucket)}/{key}/{SAMPLE}"
        yield from check_role(world, edge, role, action, resource)
    yield from check_role_key(world, edge, role, ("kms:Decrypt", "kms:GenerateDataKey"), "s3")

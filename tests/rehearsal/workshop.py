"""Pipelines of small scripts, on an embedded AWS: their roles, their bucket, their steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for

ACCOUNT = "000000000000"
IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
BUCKET = "workshop"
GROUP = "workshop-models"
Step = dict[str, Any]

# What the jobs' role may do: data, logs, the image.
JOB_STATEMENTS: list[dict[str, Any]] = [
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:AbortMultipartUpload"],
        "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
    },
    {"Effect": "Allow", "Action": ["logs:*", "cloudwatch:PutMetricData"], "Resource": "*"},
    {
        "Effect": "Allow",
        "Action": [
            "ecr:GetAuthorizationToken",
            "ecr:BatchGetImage",
            "ecr:GetDownloadUrlForLayer",
            "ecr:BatchCheckLayerAvailability",
        ],
        "Resource": "*",
    },
]


def pipeline_statements() -> list[dict[str, Any]]:
    """What a pipeline's role may do: each by name, so that a test can take one away."""
    kinds = ("processing-job", "training-job", "transform-job", "hyper-parameter-tuning-job")
    place = f"arn:aws:sagemaker:us-east-1:{ACCOUNT}"
    return [
        {
            "Sid": "Jobs",
            "Effect": "Allow",
            "Action": [
                f"sagemaker:{verb}{noun}"
                for noun in (
                    "ProcessingJob",
                    "TrainingJob",
                    "TransformJob",
                    "HyperParameterTuningJob",
                )
                for verb in ("Create", "Describe", "Stop")
            ],
            "Resource": [f"{place}:{kind}/*" for kind in kinds],
        },
        {
            "Sid": "Best",
            "Effect": "Allow",
            "Action": "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
            "Resource": "*",
        },
        {"Sid": "Tags", "Effect": "Allow", "Action": "sagemaker:AddTags", "Resource": "*"},
        {
            "Sid": "Register",
            "Effect": "Allow",
            "Action": [
                "sagemaker:CreateModelPackageGroup",
                "sagemaker:CreateModelPackage",
                "sagemaker:DescribeModelPackage",
            ],
            "Resource": [f"{place}:model-package-group/*", f"{place}:model-package/*"],
        },
        {
            "Sid": "Models",
            "Effect": "Allow",
            "Action": ["sagemaker:CreateModel", "sagemaker:DescribeModel"],
            "Resource": f"{place}:model/*",
        },
        {
            "Sid": "Pass",
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": f"arn:aws:iam::{ACCOUNT}:role/workshop-jobs",
            "Condition": {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}},
        },
        {
            "Sid": "Reports",
            "Effect": "Allow",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        },
        {
            "Sid": "Call",
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:workshop-*",
        },
    ]


@dataclass(frozen=True)
class Workshop:
    """A bucket, two roles and what pipelines are made with.

    Attributes:
        aws: the embedded AWS.
        job_role, role: ARNs of the jobs' role and of the pipelines'.
    """

    aws: Rehearsal
    job_role: str
    role: str

    @classmethod
    def make(cls, aws: Rehearsal) -> Workshop:
        """Make bucket and roles."""
        aws.client("s3").create_bucket(Bucket=BUCKET)
        job_role = make_role(aws, "workshop-jobs", JOB_STATEMENTS)
        return cls(aws, job_role, make_role(aws, "workshop-pipeline", pipeline_statements()))

    @property
    def sagemaker(self) -> Any:
        """A client of the root user."""
        return self.aws.client("sagemaker")

    def put(self, key: str, body: str) -> str:
        """Write an object; its S3 URI."""
        self.aws.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body.encode())
        return f"s3://{BUCKET}/{key}"

    def read(self, key: str) -> str:
        """Read an object."""
        answer = self.aws.client("s3").get_object(Bucket=BUCKET, Key=key)
        return str(answer["Body"].read().decode())

    def script(
        self,
        name: str,
        code: str = "",
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> Step:
        """A Processing step that runs a line of Python.

        Args:
            name: of the step.
            code: it has `inp` and `out`, the folders of inputs and outputs, and `P`, Path.
            inputs, outputs: S3 URIs (or expressions) by name.
            more: further members of the step.
        """
        folders = "from pathlib import Path as P; inp=P('/opt/ml/processing/input'); "
        folders += "out=P('/opt/ml/processing/output'); "
        arguments: dict[str, Any] = {
            "RoleArn": self.job_role,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "-c"],
                "ContainerArguments": [folders + (code or "pass")],
            },
            "ProcessingResources": {
                "ClusterConfig": {
                    "InstanceCount": 1,
                    "InstanceType": "ml.m5.large",
                    "VolumeSizeInGB": 1,
                }
            },
            "ProcessingInputs": [
                {
                    "InputName": each,
                    "S3Input": {
                        "S3Uri": uri,
                        "LocalPath": f"/opt/ml/processing/input/{each}",
                        "S3DataType": "S3Prefix",
                        "S3InputMode": "File",
                    },
                }
                for each, uri in (inputs or {}).items()
            ],
            "ProcessingOutputConfig": {
                "Outputs": [
                    {
                        "OutputName": each,
                        "S3Output": {
                            "S3Uri": uri,
                            "LocalPath": f"/opt/ml/processing/output/{each}",
                            "S3UploadMode": "EndOfJob",
                        },
                    }
                    for each, uri in (outputs or {}).items()
                ]
            },
        }
        return {"Name": name, "Type": "Processing", "Arguments": arguments, **more}

    def create(self, *steps: Step, name: str = "", role: str = "", **more: Any) -> str:
        """Make a pipeline of steps; its name."""
        name = name or f"p{uuid4().hex[:8]}"
        text = json.dumps({"Version": "2020-12-01", "Steps": list(steps), **more})
        self.sagemaker.create_pipeline(
            PipelineName=name, PipelineDefinition=text, RoleArn=role or self.role
        )
        return name

    def start(self, pipeline: str, **parameters: str) -> str:
        """Start an execution; its ARN."""
        given = [{"Name": name, "Value": value} for name, value in parameters.items()]
        answer = self.sagemaker.start_pipeline_execution(
            PipelineName=pipeline, PipelineParameters=given
        )
        return str(answer["PipelineExecutionArn"])

    def run(self, *steps: Step, role: str = "", **more: Any) -> Run:
        """Make a pipeline, run it to its end."""
        return self.end(self.start(self.create(*steps, role=role, **more)))

    def look(self, arn: str) -> Run:
        """An execution as it is now."""
        sagemaker = self.sagemaker
        described = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
        steps: Sequence[dict[str, Any]] = listed["PipelineExecutionSteps"]
        by_name = {step["StepName"]: step for step in reversed(steps)}
        return Run(arn, described["PipelineExecutionStatus"], by_name, described)

    def end(self, arn: str, seconds: float = 60) -> Run:
        """An execution once it has ended."""

        def ended() -> Run | None:
            run = self.look(arn)
            return run if run.status in ("Succeeded", "Failed", "Stopped") else None

        return wait_for(ended, seconds)

    def reaches(self, arn: str, step: str, status: str = "Executing") -> Run:
        """An execution once a step has this status and, if it makes a job, has made it."""

        def there() -> Run | None:
            run = self.look(arn)
            found = run.steps.get(step, {})
            return run if found.get("StepStatus") == status and found["Metadata"] else None

        return wait_for(there, 30)


@dataclass(frozen=True)
class Run:
    """An execution at a moment.

    Attributes:
        arn: of the execution.
        status: its status.
        steps: by name, as listed, the earliest first.
        described: what DescribePipelineExecution answers.
    """

    arn: str
    status: str
    steps: dict[str, dict[str, Any]]
    described: dict[str, Any]

    @property
    def id(self) -> str:
        """The execution's id."""
        return self.arn.rpartition("/")[2]

    def statuses(self) -> dict[str, str]:
        """Status by step."""
        return {name: step["StepStatus"] for name, step in self.steps.items()}

    def reason(self, step: str) -> str:
        """Why a step failed; empty if it did not."""
        return str(self.steps[step].get("FailureReason", ""))


def make_role(aws: Rehearsal, name: str, statements: list[dict[str, Any]]) -> str:
    """A role that SageMaker may assume; its ARN."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "sagemaker.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam = aws.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    return str(role["Role"]["Arn"])


def get(step: str, path: str) -> dict[str, str]:
    """A reference to a step's property."""
    return {"Get": f"Steps.{step}.{path}"}


def gate(
    name: str, left: Any, *, then: Sequence[Step] = (), otherwise: Sequence[Step] = ()
) -> Step:
    """A Condition step: left ≥ 0.5."""
    condition = {"Type": "GreaterThanOrEqualTo", "LeftValue": left, "RightValue": 0.5}
    arguments = {
        "Conditions": [condition],
        "IfSteps": list(then),
        "ElseSteps": list(otherwise),
    }
    return {"Name": name, "Type": "Condition", "Arguments": arguments}


def fail(name: str, *words: Any) -> Step:
    """A Fail step."""
    message = {"Std:Join": {"On": " ", "Values": list(words)}}
    return {"Name": name, "Type": "Fail", "Arguments": {"ErrorMessage": message}}


def register(name: str, model: Any, **more: Any) -> Step:
    """A RegisterModel step."""
    arguments = {
        "ModelPackageGroupName": GROUP,
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        **more,
    }
    return {"Name": name, "Type": "RegisterModel", "Arguments": arguments}

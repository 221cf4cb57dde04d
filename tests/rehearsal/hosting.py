"""Models and endpoints for the tests of hosting: real churn models, packed as by training."""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ml_src.churn import evaluate, generate, prepare, train
from rehearsal.process import Rehearsal
from tests.rehearsal.listening import wait_for

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
SERVING = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code"}
CUSTOMER = (
    "Female,0,Yes,No,3,Yes,No,Fiber optic,No,Yes,No,No,Yes,No,Month-to-month,Yes,"
    "Electronic check,70.35,211.05\n"
)


def trained(folder: Path, rounds: int) -> Path:
    """Train on 2,000 generated customers and return the model's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    table = folder / "customers.csv"
    generate.write(table, generate.blocks(2000, seed=1))
    prepared = folder / "prepared"
    prepare.prepare(table, prepared, prepare.Settings())
    channels = [f"--{name}={prepared / name}" for name in ("train", "validation", "encoder")]
    places = [
        f"--model-dir={folder / 'model'}",
        f"--output-data-dir={folder / 'data'}",
        f"--checkpoint-dir={folder / 'checkpoints'}",
        f"--failure-file={folder / 'failure'}",
    ]
    train.train(train.parse([*channels, *places, f"--num_round={rounds}"]))
    return folder / "model"


def evaluated(folder: Path) -> dict[str, Path]:
    """Evaluate what was trained in a folder.

    Returns:
        the folders of the baseline and of the evaluation, by these names.
    """
    prepared, made = folder / "prepared", folder / "evaluated"
    channels = [f"--{name}={prepared / name}" for name in ("validation", "test")]
    evaluate.run([f"--model={folder / 'model'}", *channels, f"--output={made}"])
    return {"baseline": prepared / "baseline", "evaluation": made / "evaluation"}


# Serves at once: tests of what moves between models need no real one.
STEADY = """
class Refused(Exception):
    status_code, message = 400, "only numbers"

def model_fn(folder):
    return {answer}

def input_fn(body, kind):
    return body

def predict_fn(body, model):
    if body.startswith("nonsense"):
        raise Refused
    return model

def output_fn(prediction, accept):
    return f"{{prediction}}\\n", "text/csv"
"""


def steady(answer: float) -> bytes:
    """Return a model.tar.gz whose code gives the same answer to whatever is asked."""
    content = io.BytesIO()
    code = STEADY.format(answer=answer).encode()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(code)
        archive.addfile(member, io.BytesIO(code))
    return content.getvalue()


def packed(model: Path) -> bytes:
    """Return a model's folder as model.tar.gz."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        for path in sorted(model.rglob("*")):
            if "__pycache__" not in path.parts:
                archive.add(path, str(path.relative_to(model)), recursive=False)
    return content.getvalue()


@dataclass
class Hosting:
    """An embedded AWS with a bucket of models and a role that may read them."""

    aws: Rehearsal
    role: str
    bucket: str = "models-of-the-test"

    @cached_property
    def sagemaker(self) -> Any:
        """A client."""
        return self.aws.client("sagemaker")

    @cached_property
    def runtime(self) -> Any:
        """A client."""
        return self.aws.client("sagemaker-runtime")

    def model(self, name: str, content: bytes | None, **more: Any) -> str:
        """Upload a model (None: not at all) and create it."""
        key = f"{name}/model.tar.gz"
        if content is not None:
            self.aws.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{self.bucket}/{key}"}
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=self.role,
            PrimaryContainer={**container, "Environment": SERVING},
            **more,
        )
        return name

    def config(
        self,
        name: str,
        *models: str,
        count: int = 2,
        instance_type: str = "ml.m5.large",
        **more: Any,
    ) -> str:
        """Create a configuration with a variant of equal weight for each model."""
        variants = [
            {
                "VariantName": f"v{number}",
                "ModelName": model,
                "InstanceType": instance_type,
                "InitialInstanceCount": count,
                "InitialVariantWeight": 1.0,
            }
            for number, model in enumerate(models)
        ]
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=variants, **more
        )
        return name

    def status(self, name: str) -> dict[str, Any]:
        """Describe an endpoint."""
        return self.sagemaker.describe_endpoint(EndpointName=name)

    def settled(self, name: str, seconds: float = 30) -> dict[str, Any]:
        """Describe an endpoint once nothing is going on with it."""

        def look() -> dict[str, Any] | None:
            found = self.status(name)
            return found if found["EndpointStatus"] in ("InService", "Failed") else None

        return wait_for(look, seconds=seconds, what=f"endpoint {name} to settle")

    def ask(self, name: str, body: str = CUSTOMER, **more: Any) -> float:
        """Invoke an endpoint with one customer and return the probability."""
        answer = self.runtime.invoke_endpoint(
            EndpointName=name, Body=body.encode(), ContentType="text/csv", Accept="text/csv", **more
        )
        return float(answer["Body"].read())

    def remove(self, name: str) -> None:
        """Delete an endpoint, once it lets itself be deleted."""
        self.settled(name)
        self.sagemaker.delete_endpoint(EndpointName=name)


def role(aws: Rehearsal, bucket: str) -> str:
    """Make the role that models run under."""
    principal = {"Service": "sagemaker.amazonaws.com"}
    trust = [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]
    allowed = [
        {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{bucket}/*"},
        {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket},
        {"Effect": "Allow", "Action": ["logs:*", "cloudwatch:PutMetricData"], "Resource": "*"},
        {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
    ]
    iam = aws.client("iam")
    made = iam.create_role(RoleName="serves-models", AssumeRolePolicyDocument=_document(trust))
    iam.put_role_policy(RoleName="serves-models", PolicyName="p", PolicyDocument=_document(allowed))
    return made["Role"]["Arn"]


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})

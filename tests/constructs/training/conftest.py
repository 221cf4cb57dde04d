"""A stranger's stack for a training pipeline, and the definition as AWS will read it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app as sagelens_app
from sagelens import (
    AlarmTopic,
    DataLocation,
    EncryptionKey,
    Gate,
    ModelGroup,
    Recipe,
    SecureBucket,
    SourceArchive,
    TrainingPipeline,
)
from sagelens.algorithms import algorithm
from tests.constructs.conftest import Resources, resources

ROOT = Path(__file__).parents[3]

# What a template's references become, so that what AWS gets can be looked at.
PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "eu-west-1",
    "AWS::URLSuffix": "amazonaws.com",
}


@dataclass(frozen=True)
class Parts:
    """What a training pipeline needs around it."""

    stack: cdk.Stack
    data: SecureBucket
    models: SecureBucket
    key: EncryptionKey
    topic: AlarmTopic
    group: ModelGroup
    source: SourceArchive

    def pipeline(self, **changes: Any) -> TrainingPipeline:
        """The shortest use, with changes."""
        arguments: dict[str, Any] = {
            "name": "sagelens-test-churn",
            "recipe": Recipe(model="churn"),
            "algorithm": algorithm("xgboost-script"),
            "hyperparameters": {"max_depth": 5, "eta": 0.2, "num_round": 100},
            "data": DataLocation(bucket=self.data, prefix="churn/customers/"),
            "artifacts": self.models,
            "encryption_key": self.key,
            "gate": Gate(metric="binary_classification_metrics.auc.value", at_least=0.75),
            "source": self.source,
            "model_group": self.group,
            "alarm_topic": self.topic,
            "environment_name": "test",
        }
        return TrainingPipeline(self.stack, "Training", **{**arguments, **changes})

    def made(self, **changes: Any) -> Made:
        """The same, synthesized."""
        pipeline = self.pipeline(**changes)
        return Made(pipeline, resources(self.stack))


@dataclass(frozen=True)
class Made:
    """A pipeline and its template."""

    pipeline: TrainingPipeline
    resources: Resources

    @property
    def text(self) -> str:
        """The definition's text, with references put in."""
        body = self.resources.one("AWS::SageMaker::Pipeline")["PipelineDefinition"]
        return resolved(body["PipelineDefinitionBody"])

    @property
    def definition(self) -> dict[str, Any]:
        """The definition."""
        return json.loads(self.text)

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        """All steps by name, those of branches as well."""
        return {step["Name"]: step for step in every_step(self.definition["Steps"])}

    @property
    def parameters(self) -> dict[str, Any]:
        """Defaults by parameter."""
        return {one["Name"]: one["DefaultValue"] for one in self.definition["Parameters"]}

    def role(self, word: str) -> dict[str, Any]:
        """The role whose description holds a word."""
        (role,) = [
            one for one in self.resources.of("AWS::IAM::Role") if word in one.get("Description", "")
        ]
        return role


def every_step(steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Steps, and those of their branches."""
    for step in steps:
        yield step
        for branch in ("IfSteps", "ElseSteps"):
            yield from every_step(step["Arguments"].get(branch, []))


def resolved(value: Any) -> str:
    """A text of the template with plausible values for its references."""
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return separator.join(resolved(part) for part in parts)
        case {"Ref": str(name)}:
            return PSEUDO.get(name, name.lower()[:32])
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            return _arn(name)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return f"{name}-{attribute}"[:32].lower()
        case {"Fn::FindInMap": _}:
            return "683313688378"
        case {"Fn::Sub": str(text)}:
            for name, known in PSEUDO.items():
                text = text.replace(f"${{{name}}}", known)
            return text
        case _:
            raise AssertionError(f"an intrinsic that is not known here: {value}")


def _arn(name: str) -> str:
    for word, arn in (
        ("Role", "arn:aws:iam::111122223333:role/{}"),
        ("Key", "arn:aws:kms:eu-west-1:111122223333:key/{}"),
        ("Function", "arn:aws:lambda:eu-west-1:111122223333:function:{}"),
    ):
        if word in name:
            return arn.format(name)
    return f"arn:aws:any:eu-west-1:111122223333:{name}"


@pytest.fixture
def stack(tmp_path: Any) -> cdk.Stack:
    """An empty stack of no particular account or Region."""
    return cdk.Stack(sagelens_app.new_app(outdir=str(tmp_path / "cdk.out")), "Stranger")


@pytest.fixture
def parts(stack: cdk.Stack) -> Parts:
    """Real surroundings for a pipeline, in the same stack."""
    return parts_in(stack)


def parts_in(stack: cdk.Stack) -> Parts:
    """The same in a stack of one's choice."""
    key = EncryptionKey(stack, "Key")
    return Parts(
        stack=stack,
        data=SecureBucket(stack, "Data", encryption_key=key, event_notifications=True),
        models=SecureBucket(stack, "Models", encryption_key=key),
        key=key,
        topic=AlarmTopic(stack, "Alarms", encryption_key=key),
        group=ModelGroup(stack, "Group", name="sagelens-test-churn", description="Churn"),
        source=SourceArchive(stack, "Source", folder=ROOT / "ml_src"),
    )


@dataclass(frozen=True)
class Recorder:
    """Something that tracks runs, as a pipeline sees it."""

    function_arn: str
    OUTPUTS: tuple[str, ...] = ("run_id", "experiment_id", "run_url")

    def step_arguments(self, **arguments: Any) -> dict[str, Any]:
        """The arguments as they are given."""
        return {
            name: dict(value) if isinstance(value, Mapping) else value
            for name, value in arguments.items()
        }

"""What people should know of a model before they rely on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from .errors import ArgumentErrors

Risk = Literal["High", "Medium", "Low", "Unknown"]
CardStatus = Literal["Draft", "PendingReview", "Approved", "Archived"]

# "AWS::SageMaker::ModelCard": characters that its texts may have.
LONG, MIDDLE, SHORT = 2048, 1024, 255
MOST_HYPERPARAMETERS = 100


@dataclass(frozen=True, kw_only=True)
class CardContent:
    """What a model card says. An empty text is left out.

    Args:
        model: The model's name.
        description: What it is, 1,024 characters at most, as of ``owner`` and ``algorithm``.
        owner: Who answers for it.
        algorithm: What trains it.
        purpose: Why it was made, 2,048 characters at most, as of the texts below.
        intended_uses: What it is to be used for, and what not.
        risk: How much harm a wrong answer can do.
        caveats: What to keep in mind when using it.
        objective: Whether training makes a metric larger or smaller, and which.
        datasets: Where the data of its training lie, 15 addresses at most.
        hyperparameters: Those that training begins with.
        evaluation: What it must reach to be registered.
        details: Whatever else there is to say, by name: letters, digits and underscores, the
            first no digit; texts of 1,024 characters at most.
    """

    model: str
    description: str = ""
    owner: str = ""
    algorithm: str = ""
    purpose: str = ""
    intended_uses: str = ""
    risk: Risk = "Unknown"
    caveats: str = ""
    objective: tuple[Literal["Maximize", "Minimize"], str] | None = None
    datasets: Sequence[str] = ()
    hyperparameters: Mapping[str, object] = field(default_factory=dict[str, object])
    evaluation: str = ""
    details: Mapping[str, str] = field(default_factory=dict[str, str])

    def content(self) -> dict[str, Any]:
        """The ``Content`` of the resource, without what is empty."""
        whole = {
            "ModelOverview": {
                "ModelName": self.model,
                "ModelDescription": self.description,
                "ModelOwner": self.owner,
                "AlgorithmType": self.algorithm,
            },
            "IntendedUses": {
                "PurposeOfModel": self.purpose,
                "IntendedUses": self.intended_uses,
                "RiskRating": self.risk,
            },
            "TrainingDetails": {
                "ObjectiveFunction": self._objective(),
                "TrainingJobDetails": {
                    "TrainingDatasets": list(self.datasets),
                    "HyperParameters": self._hyperparameters(),
                },
            },
            "EvaluationDetails": [{"Name": "gate", "EvaluationObservation": self.evaluation}]
            if self.evaluation
            else [],
            "AdditionalInformation": {
                "CaveatsAndRecommendations": self.caveats,
                "CustomDetails": dict(self.details),
            },
        }
        return _without_empty(whole)

    def _objective(self) -> dict[str, Any]:
        if self.objective is None:
            return {}
        goal, metric = self.objective
        return {"Function": {"Function": goal}, "Notes": metric}

    def _hyperparameters(self) -> list[dict[str, str]]:
        texts = {name: _text(value) for name, value in self.hyperparameters.items()}
        return [
            {"Name": name, "Value": text}
            for name, text in texts.items()
            if 1 <= len(text) <= SHORT and len(name) <= SHORT
        ][:MOST_HYPERPARAMETERS]

    def problems(self, errors: ArgumentErrors) -> None:
        """Note every text that is too long for a model card."""
        limits = {
            **dict.fromkeys(("model", "description", "owner", "algorithm"), MIDDLE),
            **dict.fromkeys(("purpose", "intended_uses", "caveats", "evaluation"), LONG),
        }
        texts = {name: (getattr(self, name), most) for name, most in limits.items()}
        texts |= {f"details.{name}": (text, MIDDLE) for name, text in self.details.items()}
        texts |= {f"datasets[{at}]": (text, MIDDLE) for at, text in enumerate(self.datasets)}
        for name, (text, most) in texts.items():
            errors.require(
                cdk.Token.is_unresolved(text) or len(text) <= most,
                f"{name}: got {len(text):,} characters, allowed are {most:,}",
            )
        errors.require(
            len(self.datasets) <= 15, f"datasets: got {len(self.datasets)}, allowed are 15"
        )


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _without_empty(value: Any) -> Any:
    """The same without empty texts, lists and mappings, however deep."""
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        kept = {name: _without_empty(item) for name, item in found.items()}
        return {name: item for name, item in kept.items() if item not in ("", [], {})}
    return value


class ModelCard(Construct):
    """A model card of Amazon SageMaker, encrypted with the environment's key.

    It speaks of the model, not of one version: versions carry their own metrics in the model
    registry. A change of its content makes a new version of the card.

    Sources: "Amazon SageMaker Model Cards" (Amazon SageMaker AI); "AWS::SageMaker::ModelCard"
    (AWS CloudFormation), whose schema is the model card JSON schema.

    Args:
        scope: The parent construct.
        id: The construct's id.
        name: The card's name, 1 to 63 letters, digits and hyphens.
        content: What it says.
        encryption_key: Its key.
        status: How far it has come in your organisation's review.

    Attributes:
        card: The resource.
        name: Its name.

    Raises:
        ValueError: With everything that is wrong with the arguments.
    """

    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        name: str,
        content: CardContent,
        encryption_key: kms.IKey,
        status: CardStatus = "Draft",
    ) -> None:
        super().__init__(scope, id)
        errors = ArgumentErrors(f"ModelCard {self.node.path}")
        errors.require(
            cdk.Token.is_unresolved(name) or _is_entity_name(name),
            f"name: got {name!r}, allowed are 1 to 63 letters, digits and hyphens, none at an end",
        )
        content.problems(errors)
        errors.throw()
        self.name = name
        self.card = sagemaker.CfnModelCard(
            self,
            "Card",
            model_card_name=name,
            model_card_status=status,
            content=_content(content),
            security_config=sagemaker.CfnModelCard.SecurityConfigProperty(
                kms_key_id=encryption_key.key_arn
            ),
        )


def _is_entity_name(name: str) -> bool:
    letters = name.isascii() and name.replace("-", "").isalnum()
    return letters and len(name) <= 63 and name[0] != "-" and name[-1] != "-"


def _content(content: CardContent) -> Any:
    """The content as CDK wants it: with names that begin small, but for names of one's own."""
    return _camel(content.content())


def _camel(value: Any, *, own_names: bool = False) -> Any:
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return {
            (name if own_names else name[0].lower() + name[1:]): _camel(
                item, own_names=name == "CustomDetails"
            )
            for name, item in found.items()
        }
    if isinstance(value, list):
        return [_camel(item) for item in cast("list[Any]", value)]
    return value

"""Model cards: valid by AWS's own schema, and saying no more than is known."""

from __future__ import annotations

from typing import Any

import aws_cdk as cdk
import pytest
from cfnlint.jsonschema import StandardValidator
from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

from sagelens import CardContent, EncryptionKey, ModelCard
from tests.constructs.conftest import resources

WHOLE = CardContent(
    model="churn",
    description="Foretells which customers will leave",
    owner="Retention team",
    algorithm="XGBoost, with a script",
    purpose="To make offers in time",
    intended_uses="Offers to customers; not prices",
    risk="Low",
    caveats="Contracts of a new kind are unknown to it",
    objective=("Maximize", "validation:auc"),
    datasets=("s3://data/churn/customers/",),
    hyperparameters={"eta": 0.2, "max_depth": 5, "verbose": True, "empty": "", "long": "x" * 300},
    evaluation="auc must be at least 0.75",
    details={"pipeline": "sagelens-dev-churn"},
)


def schema_errors(properties: dict[str, Any]) -> list[str]:
    """What AWS's resource schema, which is the model card JSON schema, finds wrong."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(
        "us-east-1", "AWS::SageMaker::ModelCard"
    ).schema
    return [error.message for error in StandardValidator(schema).iter_errors(properties)]


def made(stack: cdk.Stack, content: CardContent) -> dict[str, Any]:
    key = EncryptionKey(stack, "Key")
    ModelCard(stack, "Card", name="sagelens-dev-churn", content=content, encryption_key=key)
    found = resources(stack).one("AWS::SageMaker::ModelCard")
    found["SecurityConfig"]["KmsKeyId"] = "arn:aws:kms:us-east-1:123456789012:key/1"
    return found


@pytest.mark.parametrize("content", [WHOLE, CardContent(model="churn")], ids=["whole", "least"])
def test_content_is_valid_by_the_schema(stack: cdk.Stack, content: CardContent) -> None:
    assert schema_errors(made(stack, content)) == []


def test_the_schema_would_find_a_mistake(stack: cdk.Stack) -> None:
    found = made(stack, WHOLE)
    found["Content"]["IntendedUses"]["RiskRating"] = "low"
    found["Content"]["ModelOverview"]["Modelname"] = "churn"
    assert len(schema_errors(found)) == 2


def test_what_is_empty_is_left_out(stack: cdk.Stack) -> None:
    assert made(stack, CardContent(model="churn"))["Content"] == {
        "ModelOverview": {"ModelName": "churn"},
        "IntendedUses": {"RiskRating": "Unknown"},
    }


def test_hyperparameters_are_texts_that_the_card_can_hold(stack: cdk.Stack) -> None:
    details = made(stack, WHOLE)["Content"]["TrainingDetails"]["TrainingJobDetails"]
    assert details["HyperParameters"] == [
        {"Name": "eta", "Value": "0.2"},
        {"Name": "max_depth", "Value": "5"},
        {"Name": "verbose", "Value": "true"},
    ]


def test_everything_wrong_is_said_at_once(stack: cdk.Stack) -> None:
    content = CardContent(
        model="m", owner="x" * 1025, caveats="x" * 2049, details={"more": "x" * 1025}
    )
    with pytest.raises(ValueError) as caught:
        key = EncryptionKey(stack, "Key")
        ModelCard(stack, "Card", name="a name-", content=content, encryption_key=key)
    for argument in ("name", "owner", "caveats", "details.more"):
        assert f"\n{argument}: got" in str(caught.value)

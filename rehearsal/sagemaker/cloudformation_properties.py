"""Properties of CloudFormation's SageMaker types in the forms that the API takes, and back."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

FREE = ("CustomDetails",)  # its keys are the user's own words
# A name whose letters do not follow the rule: S3 is one word in the model card's JSON schema.
SNAKE = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def pipeline_definition(value: Mapping[str, Any]) -> dict[str, Any]:
    """PipelineDefinition as CreatePipeline takes it."""
    body = value.get("PipelineDefinitionBody")
    if body is not None:
        return {"PipelineDefinition": body if isinstance(body, str) else json.dumps(body)}
    place = value["PipelineDefinitionS3Location"]
    where = {"Bucket": place["Bucket"], "ObjectKey": place["Key"]}
    if place.get("Version"):
        where["VersionId"] = place["Version"]
    return {"PipelineDefinitionS3Location": where}


def card_content(value: Any) -> dict[str, Any]:
    """A model card's Content: the JSON of its own schema, whose names are in snake case."""
    if isinstance(value, str):
        return {"Content": value}
    return {"Content": json.dumps(_snake(value))}


def _snake(value: Any) -> Any:
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        return {
            SNAKE.sub("_", name).lower(): item if name in FREE else _snake(item)
            for name, item in members.items()
        }
    if isinstance(value, list):
        return [_snake(item) for item in cast("list[Any]", value)]
    return value


def policy_text(value: Any) -> str:
    """A group's policy as text."""
    return value if isinstance(value, str) else json.dumps(value)


def attributes_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """What GetAtt can read: the texts, numbers and times of a Describe operation's answer."""
    plain = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in answer.items()
        if isinstance(value, str | int | float | datetime)
    }
    if "Arn" in plain:
        plain["MlflowAppId"] = str(plain["Arn"]).rpartition("/")[2]
    return plain

"""The types of single fields of analyses: filters, regions, patterns, models."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from config.base import Shape, Unique, whole

LabelFilter = Annotated[
    str,
    Shape(
        r"[A-Za-z0-9](?:[ -~]{0,126}[!-~])?",
        "the name of a label or category as Amazon Rekognition spells it; 1 to 128 characters",
    ),
]
LabelFilters = Annotated[
    tuple[LabelFilter, ...], Field(strict=False, max_length=100), Unique("name")
]
Share = Annotated[float, Field(ge=0, le=1), AfterValidator(whole)]
REGION = "[left, top, width, height], four numbers from 0 to 1, inside the image"


def _inside(region: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, width, height = region
    if min(width, height) <= 0 or max(left + width, top + height) > 1 + 1e-9:
        context = {"problem": "is no part of the image", "allowed": REGION}
        raise PydanticCustomError("shape", "{problem}; allowed: {allowed}", context)
    return region


def _four_numbers(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(cast(list[Any], value)) != 4:
        context = {"problem": "is not a list of four numbers", "allowed": REGION}
        raise PydanticCustomError("shape", "{problem}; allowed: {allowed}", context)
    return cast(Any, value)


Region = Annotated[
    tuple[Share, Share, Share, Share],
    Field(strict=False),
    BeforeValidator(_four_numbers),
    AfterValidator(_inside),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "number", "minimum": 0, "maximum": 1},
            "minItems": 4,
            "maxItems": 4,
            "x-allowed": REGION,
        }
    ),
]
PatternName = Annotated[
    str,
    Shape(
        r"(?!Text$)[A-Za-z0-9][A-Za-z0-9 _-]{0,63}", 'letters, digits, spaces, _ and -, not "Text"'
    ),
]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        context = {
            "problem": f"is no regular expression: {error}",
            "allowed": 'a regular expression of Python\'s, such as "[0-9]{16}"',
        }
        raise PydanticCustomError("shape", "{problem}; allowed: {allowed}", context) from None
    return pattern


Pattern = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_compiles)]
# ProjectVersionArn, "DetectCustomLabels", Amazon Rekognition API reference.
Model = Annotated[
    str,
    Shape(
        r"[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*|arn:aws[a-z-]*:rekognition:[a-z0-9-]+:[0-9]{12}"
        r":project/[A-Za-z0-9_.-]{1,255}/version/[A-Za-z0-9_.-]{1,255}/[0-9]+",
        "a name of custom_models, or the ARN of a project version, such as "
        "arn:aws:rekognition:eu-west-1:123456789012:project/shelf/version/v1/1700000000000",
    ),
]
Models = Annotated[
    tuple[Model, ...], Field(strict=False, min_length=1, max_length=10), Unique("model")
]
Patterns = Annotated[Mapping[PatternName, Pattern], Field(max_length=50)]

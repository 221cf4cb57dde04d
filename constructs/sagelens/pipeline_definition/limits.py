"""What AWS allows of a pipeline's definition.

Sources: "CreatePipeline", "PipelineExecutionStep" and "Parameter" (Amazon SageMaker API
Reference). How many steps and parameters there may be, no page that could be read says: 50 steps
are as many as "Pipeline Structure and Execution" has run at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

LARGEST_DEFINITION_BYTES = 1_048_576
"""CreatePipeline, PipelineDefinition. A template that holds it may not be larger either."""

MOST_STEPS = 50
MOST_PARAMETERS = 200
LONGEST_TEXT_DEFAULT = 1024
STEP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
PARAMETER_NAME = re.compile(r"[A-Za-z0-9_-]{1,256}")

LONGEST_REFERENCE = 256
"""What a reference in a template becomes: names and ARNs, which are shorter in all likelihood."""


def size_problem(resolved: object) -> str | None:
    """Say whether a definition's text is larger than AWS takes.

    Args:
        resolved: What ``Stack.resolve`` makes of the text: a text, or an ``Fn::Join`` of texts and
            references. Each reference counts as 256 characters, the length of a long ARN: what it
            becomes is known at deployment only.

    Returns:
        What is wrong, in words; None if nothing is.
    """
    size = sum(_sizes(resolved))
    if size <= LARGEST_DEFINITION_BYTES:
        return None
    return (
        f"the definition takes about {size:,} bytes, allowed are {LARGEST_DEFINITION_BYTES:,}: "
        "fewer or shorter hyperparameters, arguments and metrics make it smaller"
    )


def _sizes(value: object) -> Iterator[int]:
    if isinstance(value, str):
        yield len(value.encode())
    elif isinstance(value, dict) and "Fn::Join" in value:
        joined = cast("dict[str, tuple[str, list[object]]]", value)["Fn::Join"]
        for part in joined[1]:
            yield from _sizes(part)
    else:
        yield LONGEST_REFERENCE

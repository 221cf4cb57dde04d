"""The types of names that several sections give: models, and folders in a bucket."""

from typing import Annotated

from pydantic import Field

from config.base import Shape

ModelName = Annotated[
    str,
    Field(max_length=20),
    Shape(
        r"[a-z][a-z0-9]*(?:-[a-z][a-z0-9]*)*",
        "at most 20 lower-case letters and digits, words joined by a hyphen, each beginning with "
        "a letter",
    ),
]


def _about_prefix(value: str) -> str | None:
    if value.startswith("/"):
        return "begins with a slash, which would be part of every key"
    if "*" in value or "?" in value:
        return "holds a wildcard; a prefix has none"
    return None if value.endswith("/") else 'does not end with "/"'


Prefix = Annotated[
    str,
    Field(max_length=512),
    Shape(
        r"(?:[A-Za-z0-9_][A-Za-z0-9_.!()-]*/)+",
        'folder names, each followed by "/", of letters, digits and _ . ! ( ) -, '
        'such as "incoming/"; at most 512 characters',
        _about_prefix,
    ),
]

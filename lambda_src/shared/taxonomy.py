"""What stands above a label, as the responses of Amazon Rekognition tell it."""

from collections.abc import Mapping
from typing import Any


def chain(name: str, parents: Mapping[str, str]) -> tuple[str, ...]:
    """Return the categories above a moderation label, nearest first, as far as they are told.

    parents: the parent of each label by name, empty for a top category.
    """
    found: list[str] = []
    parent = parents.get(name, "")
    # A name that comes again would go round for ever.
    while parent and parent not in found and parent != name:
        found.append(parent)
        parent = parents.get(parent, "")
    return tuple(found)


def above(label: Mapping[str, Any], depths: Mapping[str, int]) -> tuple[str, ...]:
    """Return a Label's ancestors, nearest first, then its categories.

    depths: of each label by name, how many ancestors it has. The response does not promise an
    order of ancestors: the more ancestors one has itself, the nearer it is. An ancestor is listed
    as a label of its own, unless a filter or MaxLabels took it.
    """
    parents = sorted(names(label, "Parents"), key=lambda name: -depths.get(name, 0))
    return (*parents, *names(label, "Categories"))


def names(label: Mapping[str, Any], member: str) -> list[str]:
    """Return the names in one of a Label's lists, for example `Parents`."""
    found: list[Mapping[str, Any]] = label.get(member) or []
    return [each["Name"] for each in found]

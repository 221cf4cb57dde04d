"""Write what each role may do into docs/security.md: ``python -m tools.role_tables``.

The tables come from the accepted templates of prod (``tests/snapshots``); why each statement is
there stands here. A test fails when the page is behind, or a statement has no reason.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "security.md"
TEMPLATES = ROOT / "tests" / "snapshots" / "templates"
BEGIN = "<!-- written by python -m tools.role_tables: begin -->"
END = "<!-- written by python -m tools.role_tables: end -->"
SHOWN = 4  # actions or resources in a cell; the template has them all

# Heading, stack and the beginning of the role's logical id.
ROLES = (
    ("Data scientist", "access", "DataScientistRole"),
    ("Jobs that a data scientist starts", "access", "DataScientistJobRole"),
    ("Auditor", "access", "AuditorRole"),
    ("Reviewer", "foundation", "QuarantineReviewerRole"),
    ("Pipeline", "training", "ChurnPipelinePipelineRole"),
    ("Jobs of a pipeline", "training", "ChurnPipelineJobRole"),
    ("Endpoint", "releases", "ChurnEndpointRole"),
)
SUBNETS = "Work in the network that the environment has, and no other"
REASONS: Mapping[str, str] = {
    "Analyse": "Try what the environment analyses images with; faces only where they are on",
    "AnnounceReviews": "Say what was decided",
    "AskEndpoints": "Try the models that are live",
    "CallFunctions": "Let the pipeline's step write the run into MLflow",
    "Capture": "Keep requests and answers for the drift watch",
    "Decrypt": "Open pictures, which are encrypted",
    "DecryptModel": "Open the model, which is encrypted",
    "EncryptCaptured": "Encrypt the requests that are kept",
    "EncryptVolumes": "Let the volume of a job be encrypted: a grant for AWS services alone",
    "FindAccessLogs": "Find the buckets' access logs",
    "FindCode": "Tell missing scripts from forbidden ones",
    "FindData": "Find the model's raw data",
    "FindModel1": "Find the model",
    "FindModels": "Find the models' raw data",
    "FindModels1": "Find the models' runs",
    "FindOwnLogs": "Find the logs of jobs that were started by hand",
    "FindRuns": "Find what earlier steps of the run have written",
    "FindWorkspace": "Find files in the workspace",
    "FollowOwnJobs": "See how jobs end that were started by hand, and stop them",
    "FollowPipelines": "See how runs go, stop them and let them go on",
    "JoinNetwork": SUBNETS,
    "LiftQuarantine": "Quarantine a version, or lift it",
    "ListMlflowArtifacts": "Look through the plots of experiments",
    "ListReviews": "List what waits for a person",
    "ListVersions": "List versions: authorised on versions, of which a list names none",
    "ListWork": "See what there is; these actions take no resource",
    "LookAtNetwork": SUBNETS,
    "LookAtVersions": "See versions with their metrics",
    "ManageInterfaces": SUBNETS,
    "Measure": "Say how busy the instance is",
    "MlflowArtifacts": "Read and write the plots of experiments",
    "MlflowArtifactsKey": "The same, encrypted",
    "OpenMlflowPages": "Open MLflow's pages; whose, the presigned address says",
    "PassJobRole": "Give jobs their role, and nobody else",
    "PassOwnJobRole": "Give jobs that are started by hand their role, and nobody else",
    "Process": "Make, follow and stop processing jobs: preparation and evaluation",
    "PullImages": "Run the image",
    "ReadAccessLogs": "Read who read what",
    "ReadAlarms": "See what rang",
    "ReadBucketSettings": "See how buckets are protected",
    "ReadCards": "Read what models are meant for",
    "ReadCode": "Run the scripts",
    "ReadData": "Read the model's raw data",
    "ReadEndpoints": "See what is live",
    "ReadKeySettings": "See who may use the key",
    "ReadModel": "Load the model",
    "ReadModels": "Read the models' raw data, and their runs with metrics and plots",
    "ReadObjects": "Look at what was quarantined",
    "ReadOutputs": "Find where everything is",
    "ReadOwnLogs": "Read the logs of jobs that were started by hand",
    "ReadPipelines": "See how models came about",
    "ReadRoles": "See what the environment's roles may do",
    "ReadRuns": "See what steps have written",
    "ReadStacks": "See what is deployed",
    "ReadVersions": "See versions with their metrics and who approved them",
    "ReadWorkspace": "Read files in the workspace",
    "RecordReviews": "Record what was decided",
    "RegisterInGroup": "Register a version in the model's group",
    "RegisterVersions": "Describe it and tag it",
    "SeeAlarms": "Let SageMaker go back by itself when an alarm rings",
    "SignInToRegistries": "Run the image; the action takes no resource",
    "StartOwnJobs": "Start jobs by hand, of these types, with this key, isolated, for so long",
    "StartPipelines": "Start the pipelines as they are deployed",
    "TellGoneFromDenied": "Tell a picture that is gone from a forbidden one",
    "Train": "Make, follow and stop training jobs",
    "UseKey": "Read and write what is encrypted",
    "UseMlflow": "Look at experiments and write to them",
    "UseMlflowApp": "Open the environment's MLflow app",
    "UseRuns": "Read and write the run",
    "WriteLogs": "Write logs",
    "WriteWorkspace": "Leave files in the workspace",
}


def main() -> int:
    """Write the tables into the page; exit status 0."""
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_tables(text), encoding="utf-8")
    return 0


def with_tables(page: str) -> str:
    """The page with its tables as the templates are now."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """A table for each role.

    Raises:
        KeyError: A statement has no reason here.
    """
    parts: list[str] = []
    for heading, stack, name in ROLES:
        rows = [_row(statement) for statement in statements(stack, name)]
        head = ["| Statement | May | On | Why |", "|---|---|---|---|"]
        parts.append("\n".join([f"### {heading}", "", *head, *rows, ""]))
    return "\n".join(parts)


def statements(stack: str, name: str) -> Iterator[dict[str, Any]]:
    """The statements of a role in prod, by its stack and the beginning of its logical id."""
    path = TEMPLATES / f"sagelens-prod-{stack}.json"
    resources = json.loads(path.read_text(encoding="utf-8"))["Resources"]
    (role,) = (
        key
        for key, one in resources.items()
        if one["Type"] == "AWS::IAM::Role" and re.fullmatch(f"{name}[0-9A-F]{{8}}", key)
    )
    documents = [one["PolicyDocument"] for one in resources[role]["Properties"]["Policies"]]
    documents += [
        one["Properties"]["PolicyDocument"]
        for one in resources.values()
        if one["Type"] == "AWS::IAM::Policy" and {"Ref": role} in one["Properties"]["Roles"]
    ]
    for document in documents:
        yield from document["Statement"]


def _row(statement: Mapping[str, Any]) -> str:
    sid = statement["Sid"]
    conditions = sorted(key for tests in statement.get("Condition", {}).values() for key in tests)
    places = [f"`{_readable(one)}`" for one in _listed(statement["Resource"])]
    on = _cell(list(dict.fromkeys(places)))
    if conditions:
        on += f"; if {', '.join(f'`{key}`' for key in dict.fromkeys(conditions))}"
    may = _cell([f"`{one}`" for one in _listed(statement["Action"])])
    return f"| {sid} | {may} | {on} | {REASONS[sid]} |"


def _cell(items: list[str]) -> str:
    more = f" and {len(items) - SHOWN} more" if len(items) > SHOWN else ""
    return ", ".join(items[:SHOWN]) + more


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _readable(value: Any) -> str:
    """An ARN without what is the same in each, its references by their names."""
    return re.sub(r"^arn:aws:([a-z0-9-]+):[^:]*:[^:]*:", r"\1 ", _text(value))


def _text(value: Any) -> str:
    match value:
        case {"Fn::Join": [str(on), [*parts]]}:
            return on.join(_text(part) for part in parts)
        case {"Ref": "AWS::Partition"}:
            return "aws"
        case {"Ref": "AWS::Region" | "AWS::AccountId"}:
            return ""
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return _named(name)
        case {"Fn::ImportValue": str(name)}:
            return _named(re.sub(r".*ExportsOutput(?:FnGetAtt|Ref)", "", name))
        case {"Fn::FindInMap": _}:
            return "registry"
        case {"Fn::Select": [_, {"Fn::Split": [_, inner]}]}:
            return _text(inner)
        case {"Fn::Sub": str(text)}:
            return text
        case _:
            return str(value)


def _named(name: str) -> str:
    """A logical id without the hash that CDK gives it, and without what comes after."""
    return re.split(r"[0-9A-F]{8}", name)[0]


if __name__ == "__main__":
    sys.exit(main())

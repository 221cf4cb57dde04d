"""Reading runs from the MLflow app, by MLflow's REST API as any signed client would."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from botocore.auth import SigV4Auth  # pyright: ignore[reportMissingTypeStubs]
from botocore.awsrequest import AWSRequest  # pyright: ignore[reportMissingTypeStubs]

from rehearsal.scenarios.support.context import Context

API = "/api/2.0/mlflow/"


@dataclass(frozen=True)
class Run:
    """One run: its last metrics, its parameters, its tags, and the paths of its artifacts."""

    metrics: Mapping[str, float]
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    artifacts: tuple[str, ...]


def read_run(context: Context, run_id: str) -> Run:
    """Read a run of the environment's app.

    Args:
        context: the scenario's context; `MlflowAppArn` is among its outputs.
        run_id: MLflow's id of the run.
    """
    data = _get(context, "runs/get", run_id=run_id)["run"]["data"]
    return Run(
        {each["key"]: each["value"] for each in data.get("metrics", [])},
        {each["key"]: each["value"] for each in data.get("params", [])},
        {each["key"]: each["value"] for each in data.get("tags", [])},
        tuple(_artifacts(context, run_id, "")),
    )


def _artifacts(context: Context, run_id: str, path: str) -> list[str]:
    """Return the paths of all files below a folder of the run."""
    asked = {"run_id": run_id, **({"path": path} if path else {})}
    found: list[str] = []
    for each in _get(context, "artifacts/list", **asked).get("files", []):
        found += _artifacts(context, run_id, each["path"]) if each["is_dir"] else [each["path"]]
    return found


def _get(context: Context, operation: str, **query: str) -> dict[str, Any]:
    url = f"{context.aws.endpoint}{API}{operation}?{urlencode(query)}"
    headers = {"x-sm-mlflow-app-arn": context.outputs["MlflowAppArn"]}
    signed: Any = AWSRequest("GET", url, headers=headers)
    credentials = cast("Any", context.aws.session()).get_credentials()
    cast("Any", SigV4Auth)(credentials, "sagemaker", context.aws.region).add_auth(signed)
    with urlopen(Request(url, headers=dict(signed.headers)), timeout=10) as answer:
        document: dict[str, Any] = json.loads(answer.read())
    return document

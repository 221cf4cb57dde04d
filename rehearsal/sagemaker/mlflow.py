"""MLflow apps: the control plane, and the REST API in front of a real MLflow server each.

An app's artifacts belong to S3, as on AWS; its experiments and runs lie in a database of its own in
the run folder. The server acts with the credentials of the app's role.
"""

import asyncio
import contextvars
import json
import logging
from collections.abc import Callable, Mapping
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from rehearsal.aws_json import Call, Response, ServiceError
from rehearsal.environment import client_variables
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.mlflow_process import MlflowProcess
from rehearsal.sagemaker.service import Action, Registry
from rehearsal.sagemaker.tables import Fields, Resource, Table

KIND = "mlflow-app"
PROCESS = "process"
API = "/api/2.0/mlflow/"
ARN_HEADER = "x-sm-mlflow-app-arn"
# MLflow's REST API and the actions of `sagemaker-mlflow` that AWS checks ("Actions, resources, and
# condition keys for Amazon SageMaker with MLflow", Service Authorization Reference).
ACTIONS = {
    ("POST", "experiments/create"): "CreateExperiment",
    ("GET", "experiments/get"): "GetExperiment",
    ("GET", "experiments/get-by-name"): "GetExperimentByName",
    ("GET", "experiments/search"): "SearchExperiments",
    ("POST", "experiments/search"): "SearchExperiments",
    ("POST", "experiments/update"): "UpdateExperiment",
    ("POST", "experiments/delete"): "DeleteExperiment",
    ("POST", "experiments/restore"): "RestoreExperiment",
    ("POST", "experiments/set-experiment-tag"): "SetExperimentTag",
    ("POST", "runs/create"): "CreateRun",
    ("GET", "runs/get"): "GetRun",
    ("POST", "runs/search"): "SearchRuns",
    ("POST", "runs/update"): "UpdateRun",
    ("POST", "runs/delete"): "DeleteRun",
    ("POST", "runs/restore"): "RestoreRun",
    ("POST", "runs/log-batch"): "LogBatch",
    ("POST", "runs/log-inputs"): "LogInputs",
    ("POST", "runs/log-metric"): "LogMetric",
    ("POST", "runs/log-model"): "LogModel",
    ("POST", "runs/log-parameter"): "LogParam",
    ("POST", "runs/set-tag"): "SetTag",
    ("POST", "runs/delete-tag"): "DeleteTag",
    ("GET", "metrics/get-history"): "GetMetricHistory",
    ("GET", "artifacts/list"): "ListArtifacts",
}
FAILURES = {429: "RESOURCE_EXHAUSTED", 500: "INTERNAL_ERROR", 503: "TEMPORARILY_UNAVAILABLE"}
Refusal = Callable[[dict[str, str], dict[str, list[str]], str, str], str | None]
logger = logging.getLogger("rehearsal")


def operations(context: Context) -> Registry:
    """What can be done to apps themselves."""
    apps = _Apps(context)
    context.at_reset(apps.stop)
    return {
        "CreateMlflowApp": apps.create,
        "DescribeMlflowApp": apps.describe,
        "UpdateMlflowApp": apps.update,
        "DeleteMlflowApp": apps.delete,
        "ListMlflowApps": apps.listed,
    }


def actions(context: Context) -> dict[str, Action]:
    """For the control API: `mlflow_fail` lets a REST operation fail, by its IAM action's name."""

    def fail(body: dict[str, Any]) -> None:
        action, status = str(body["mlflow_action"]), int(body["status"])
        if action not in ACTIONS.values():
            known = ", ".join(sorted(set(ACTIONS.values())))
            raise ValueError(f"MLflow has no action {action!r} here; known are {known}")
        if status not in FAILURES:
            raise ValueError(f"status is {status}; allowed are {', '.join(map(str, FAILURES))}")
        context.controls.fail(action, FAILURES[status], status, body.get("times"))

    return {"mlflow_fail": fail}


class _Apps:
    def __init__(self, context: Context) -> None:
        self._context = context
        self._table: Table = context.tables.table(KIND)

    def create(self, call: Call) -> Fields:
        given = call.parameters
        name = f"app-{token_hex(6).upper()}"
        arn = self._context.arn(KIND, name)
        self._context.check_role(call, given["RoleArn"], arn)
        fields = {key: value for key, value in given.items() if key != "Tags"}
        fields = {"ModelRegistrationMode": "AutoModelRegistrationDisabled", **fields}
        resource = self._table.add(name, arn, {**fields, "Status": "Creating"}, given.get("Tags"))
        self._start(resource)
        return {"Arn": arn}

    def _start(self, resource: Resource) -> None:
        context = self._context
        access, secret, token = context.credentials(resource.fields["RoleArn"])
        variables = {
            **client_variables(context.endpoint, context.region),
            "AWS_ACCESS_KEY_ID": access,
            "AWS_SECRET_ACCESS_KEY": secret,
            "AWS_SESSION_TOKEN": token or "",
        }
        folder = context.run_folder / "mlflow" / resource.name
        process = MlflowProcess(folder, resource.fields["ArtifactStoreUri"], variables)
        resource.internal[PROCESS] = process

        def wait() -> None:
            try:
                status, _, version = process.request("GET", "/version", b"")
            except OSError as error:
                logger.warning("MLflow app %s did not start: %s", resource.name, error)
                status, version = 500, b""
            if self._table.get(resource.name) is resource:
                state = "Created" if status == 200 else "CreateFailed"
                self._table.update(
                    resource.name, Status=state, MlflowVersion=version.decode() or None
                )

        context.start(f"MLflow app {resource.name}", wait)

    def describe(self, call: Call) -> Fields:
        resource = self._find(call)
        return {
            "Arn": resource.arn,
            "CreationTime": resource.created,
            "LastModifiedTime": resource.modified,
            **resource.fields,
        }

    def update(self, call: Call) -> Fields:
        resource = self._find(call)
        given = {key: value for key, value in call.parameters.items() if key != "Arn"}
        where = given.get("ArtifactStoreUri")
        if where and where != resource.fields["ArtifactStoreUri"]:
            raise ServiceError(
                "NotRehearsedException",
                "the rehearsal cannot give an MLflow app another artifact store; make a new app",
            )
        self._table.update(resource.name, Status="Updated", **given)
        return {"Arn": resource.arn}

    def delete(self, call: Call) -> Fields:
        resource = self._table.remove(self._find(call).name)
        resource.internal[PROCESS].stop()
        return {"Arn": resource.arn}

    def listed(self, call: Call) -> Fields:
        def summary(resource: Resource) -> Fields:
            return {
                "Arn": resource.arn,
                "Name": resource.fields["Name"],
                "Status": resource.fields["Status"],
                "CreationTime": resource.created,
                "LastModifiedTime": resource.modified,
            }

        return page(self._table.all(), call.parameters, "Summaries", summary)

    def stop(self) -> None:
        for resource in self._table.live():
            resource.internal[PROCESS].stop()

    def _find(self, call: Call) -> Resource:
        return self._table.require(call.parameters["Arn"].rpartition("/")[2])


class MlflowRest:
    """The REST API of all apps: IAM first, then the app's own server.

    Args:
        context: the tables.
        refusal: (headers, query, action, ARN of the app) → why the caller may not; None if it may.
    """

    def __init__(self, context: Context, refusal: Refusal) -> None:
        self._table = context.tables.table(KIND)
        self._refusal = refusal
        self._controls = context.controls

    async def handle(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
    ) -> Response:
        """Answer one request, whose gate (sagemaker:CallMlflowAppApi) IAM has opened already."""
        action = ACTIONS.get((method, path.removeprefix(API)))
        if action is None:
            known = ", ".join(sorted({where for _, where in ACTIONS}))
            text = f"the rehearsal has no stand-in for {method} {path} of MLflow; it has {known}"
            return _failure(404, "NotRehearsedException", text)
        arn = headers.get(ARN_HEADER, "")
        refusal = self._refusal(headers, query, f"sagemaker-mlflow:{action}", arn)
        if refusal:
            return _failure(403, "AccessDeniedException", refusal)
        resource = self._table.get(arn.rpartition("/")[2])
        if resource is None or resource.arn != arn:
            return _failure(404, "ResourceNotFound", f"there is no MLflow app {arn or '(no ARN)'}")
        whole = f"{path}?{urlencode(query, doseq=True)}" if query else path
        process: MlflowProcess = resource.internal[PROCESS]
        run = contextvars.copy_context().run
        try:
            await self._controls.admit(action)
            answer = await asyncio.to_thread(run, process.request, method, whole, body)
        except ServiceError as error:
            self._controls.record(action, error.outcome)
            return _failure(error.status, error.code, error.message)
        except OSError as error:
            self._controls.record(action, "HTTP 503")
            return _failure(503, "ServiceUnavailable", str(error))
        self._controls.record(action, "ok" if answer[0] < 400 else f"HTTP {answer[0]}")
        return answer


def _failure(status: int, code: str, text: str) -> Response:
    content: Mapping[str, Any] = {"__type": code, "message": text}
    return status, {"Content-Type": "application/json"}, json.dumps(content).encode()

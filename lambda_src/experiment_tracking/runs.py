"""One execution of a pipeline as one run in MLflow, however often it is asked for.

The run carries the execution's ARN as a tag, by which it is found again; it is finished last, so
one that is not finished is completed. What is logged again has the time of the run's start, as it
had before: MLflow's database keeps the same point only once.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from experiment_tracking import flatten, violations
from experiment_tracking.flatten import Point
from experiment_tracking.mlflow_api import Api, MlflowError
from experiment_tracking.request import Request
from experiment_tracking.results import EVALUATION, TRAINING, Place, Results

# MLflow's REST API, "Request Limits": of one log-batch request.
METRICS_A_BATCH = 1000
PARAMETERS_A_BATCH = 100
LONGEST_TAG = 5000
ATTEMPTS = 3
FINISHED = "FINISHED"
_Item = TypeVar("_Item")


@dataclass(frozen=True)
class Run:
    """A run: where its artifacts belong, and whether everything of it is there."""

    experiment_id: str
    run_id: str
    started: int
    artifacts: Place
    finished: bool


class Runs:
    """Runs of one MLflow app.

    api: the app. s3: a botocore client, for artifacts. now: epoch milliseconds.
    """

    def __init__(self, api: Api, s3: Any, now: int) -> None:
        self._api = api
        self._s3 = s3
        self._now = now

    def track(self, request: Request, results: Results) -> Run:
        """Write the run, or complete it; return it. Nothing is done twice."""
        run = self._run(self._experiment(request.experiment), request)
        if run.finished:
            return run
        self._log(run, request, results)
        self._keep(run, results)
        self._api.post(
            "runs/update",
            {"run_id": run.run_id, "status": FINISHED, "end_time": max(self._now, run.started)},
        )
        return run

    # --- experiment and run ----------------------------------------------------------------------

    def _experiment(self, name: str) -> str:
        found = self._find_experiment(name)
        if found is None:
            try:
                return str(self._api.post("experiments/create", {"name": name})["experiment_id"])
            except MlflowError as error:
                # Another execution has just made it, or our own request did before it failed.
                if error.code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = self._find_experiment(name)
        if found is None:
            raise MlflowError(f"the experiment {name!r} is there and cannot be found")
        if found.get("lifecycle_stage") == "deleted":
            raise MlflowError(
                f"the experiment {name!r} ({found['experiment_id']}) was deleted in MLflow; "
                "restore it, or delete it for good"
            )
        return str(found["experiment_id"])

    def _find_experiment(self, name: str) -> Mapping[str, Any] | None:
        try:
            return self._api.get("experiments/get-by-name", experiment_name=name)["experiment"]
        except MlflowError as error:
            if error.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise

    def _run(self, experiment_id: str, request: Request) -> Run:
        for attempt in range(ATTEMPTS):
            found = self._find_run(experiment_id, request.execution_arn)
            if found is not None:
                return found
            try:
                return self._create(experiment_id, request)
            except MlflowError as error:
                # It may be there although the answer was lost: look before making another.
                if not error.ambiguous or attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("every attempt returns or raises")

    def _find_run(self, experiment_id: str, execution_arn: str) -> Run | None:
        answer = self._api.post(
            "runs/search",
            {
                "experiment_ids": [experiment_id],
                "filter": f"tags.`sagelens.execution` = '{execution_arn}'",
                "max_results": 1,
                "order_by": ["attributes.start_time ASC"],
            },
        )
        found = cast("list[dict[str, Any]]", answer.get("runs", []))
        return _run(found[0]["info"]) if found else None

    def _create(self, experiment_id: str, request: Request) -> Run:
        tags = [{"key": key, "value": value[:LONGEST_TAG]} for key, value in request.tags().items()]
        body = {
            "experiment_id": experiment_id,
            "run_name": request.run_name,
            "start_time": self._now,
            "tags": tags,
        }
        return _run(self._api.post("runs/create", body, repeatable=False)["run"]["info"])

    # --- what is logged --------------------------------------------------------------------------

    def _log(self, run: Run, request: Request, results: Results) -> None:
        given = cast("Mapping[str, Any]", results.training.get("parameters") or {})
        # What the job says that it used comes before what the pipeline asked for.
        parameters = {**flatten.texts(request.parameters), **flatten.texts(given)}
        violated = violations.read(results.training)
        points = [
            *(violation.point for violation in violated or ()),
            *flatten.course(results.training.get("course")),
            *_final(flatten.numbers(_top(results.training), "training/")),
            *_final(flatten.numbers(results.evaluation, "evaluation/")),
            *_final({flatten.name(key): value for key, value in request.metrics.items()}),
        ]
        if violated is not None:
            points.append(("training/violations", 0, float(len(violated))))
        for batch in _batches(sorted(parameters.items()), PARAMETERS_A_BATCH):
            self._batch(run, params=[{"key": key, "value": value} for key, value in batch])
        for batch in _batches(points, METRICS_A_BATCH):
            self._batch(run, metrics=[_metric(point, run.started) for point in batch])
        told = {
            "sagelens.missing": "; ".join(results.missing),
            "sagelens.violations": "; ".join(violation.words for violation in violated or ()),
        }
        tags = [{"key": key, "value": text[:LONGEST_TAG]} for key, text in told.items() if text]
        if tags:
            self._batch(run, tags=tags)

    def _batch(self, run: Run, **items: Any) -> None:
        self._api.post("runs/log-batch", {"run_id": run.run_id, **items})

    def _keep(self, run: Run, results: Results) -> None:
        for name, document in ((TRAINING, results.training), (EVALUATION, results.evaluation)):
            if document:
                place = run.artifacts.under(name)
                text = json.dumps(document, indent=1).encode()
                self._s3.put_object(
                    Bucket=place.bucket,
                    Key=place.key,
                    Body=text,
                    ContentType="application/json",
                )
        for name, source in results.plots.items():
            place = run.artifacts.under(f"plots/{name}")
            # From bucket to bucket: the bytes never come here.
            self._s3.copy_object(
                Bucket=place.bucket,
                Key=place.key,
                CopySource={"Bucket": source.bucket, "Key": source.key},
            )


def _run(info: Mapping[str, Any]) -> Run:
    uri = str(info["artifact_uri"])
    if not uri.startswith("s3://"):
        raise MlflowError(f"the run's artifacts belong to {uri!r}; only S3 can be written")
    return Run(
        experiment_id=str(info["experiment_id"]),
        run_id=str(info["run_id"]),
        started=int(info["start_time"]),
        artifacts=Place.of(uri),
        finished=info.get("status") == FINISHED,
    )


def _top(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document's own numbers, without its parameters and its course."""
    return {key: value for key, value in document.items() if key not in ("parameters", "course")}


def _final(metrics: Mapping[str, float]) -> Iterator[Point]:
    return ((name, 0, value) for name, value in metrics.items())


def _metric(point: Point, time: int) -> dict[str, Any]:
    name, step, value = point
    return {"key": name, "value": value, "timestamp": time, "step": step}


def _batches(items: Iterable[_Item], size: int) -> Iterator[Sequence[_Item]]:
    every = list(items)
    return (every[start : start + size] for start in range(0, len(every), size))

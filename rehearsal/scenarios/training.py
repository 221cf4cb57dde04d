"""Scenario `training`: customers become a registered model version, by the deployed pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from rehearsal.report.model import Check, ChecksCard, FigureCard, Flow, Outcome, TableCard
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.customers import customers
from rehearsal.scenarios.support.mlflow import read_run
from rehearsal.scenarios.support.pipelines import (
    Execution,
    ended,
    keys_below,
    read_json,
    read_s3,
    start,
)
from rehearsal.scenarios.support.waiting import NotInTime, until
from rehearsal.scenarios.support.watching import watching_topic

NAME = "training"
TITLE = "Customers become a model version that waits for approval"
ORDER = 4
REAL = (
    "The deployed SageMaker Pipeline ran as it stands in the template: each processing and training"
    " job was a process of its own with real pandas and real XGBoost in it, reading and writing S3"
    " by its own role.",
    "The run was tracked in a real MLflow store.",
)
STOOD_IN = (
    "SageMaker is our own stand-in behind the ordinary API: jobs run on this machine and not in"
    " Amazon's images, so instance types, volumes, network isolation and prices are only recorded.",
    "The customers are made up by a documented generator.",
)

FLOW = Flow(
    "The way of a model",
    [
        ("Customers", "Amazon S3", False),
        ("Prepare", "processing job", False),
        ("Train", "training job, XGBoost", False),
        ("Evaluate", "processing job", False),
        ("Track", "AWS Lambda, MLflow", False),
        ("Gate", "condition on the AUC", False),
        ("Register", "model registry", False),
    ],
)
ROWS = 7043
SEED = 1
UNREACHABLE = "0.99"
FIGURES = {
    "roc.png": "ROC curve of the test customers",
    "precision_recall.png": "Precision and recall of the test customers",
    "shap.png": "What decides: each customer's SHAP values",
    "confusion.png": "Right and wrong at the chosen threshold",
}


@dataclass(frozen=True)
class Runs:
    """The three executions of the story."""

    good: Execution
    spoilt: Execution
    refused: Execution


def run(context: Context) -> Outcome:
    """Start the pipeline with good data, with spoilt data, and with a gate that none can pass.

    Raises:
        NotInTime: an execution did not end.
    """
    context.say(f"making up {ROWS:,} customers")
    data = upload_customers(context)
    spoilt = _upload(context, "spoilt", _spoilt())
    with watching_topic(context, context.outputs["AlarmTopicArn"]) as announced:
        runs = _runs(context, data, spoilt)
        package = _package(context, runs.good)
        checks = [
            _check_steps(runs.good),
            _check_version(context, package),
            *_check_tracking(context, package),
            _check_spoilt(runs.spoilt),
            _check_gate(context, runs.refused),
            _check_announced(announced.texts, runs),
        ]
    evaluation = read_json(context, package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"])
    cards = [
        *_figures(context, package),
        _figures_table(evaluation),
        _steps_table(context, runs.good),
        ChecksCard("What was checked", checks),
    ]
    problems = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    facts = _facts(runs, package, evaluation, checks)
    return Outcome(facts, cards, problems, _note(), _numbers(facts, runs), FLOW)


def _numbers(facts: Mapping[str, Any], runs: Runs) -> list[tuple[str, str, str]]:
    return [
        ("Customers", f"{ROWS:,}", ""),
        ("AUC on the test customers", f"{facts['auc']:.3f}", ""),
        ("Registered as version", str(facts["version"]), ""),
        ("Steps", str(len(runs.good.steps)), ""),
        ("Start to registered", f"{runs.good.seconds:.1f}", "s"),
    ]


def upload_customers(context: Context) -> str:
    """Upload made-up customers and return where they lie."""
    return _upload(context, "good", customers(rows=ROWS, seed=SEED))


def _spoilt() -> bytes:
    """Return customers of whom most have a contract length where their charges should be."""
    head, *rows = customers(rows=ROWS, seed=SEED).decode().splitlines()[:400]
    column = head.split(",").index("MonthlyCharges")

    def spoil(row: str) -> str:
        cells = row.split(",")
        return ",".join([*cells[:column], "two years", *cells[column + 1 :]])

    return "\n".join([head, *map(spoil, rows)]).encode()


def _upload(context: Context, folder: str, content: bytes) -> str:
    """Upload a table below the data prefix, where alone the jobs may read."""
    bucket = context.outputs["DataBucketName"]
    prefix = f"{context.outputs['ChurnDataPrefix']}{folder}/"
    context.client("s3").put_object(Bucket=bucket, Key=f"{prefix}customers.csv", Body=content)
    return f"s3://{bucket}/{prefix}"


def _runs(context: Context, data: str, spoilt: str) -> Runs:
    pipeline = context.outputs["ChurnPipelineName"]
    started = [
        start(context, pipeline, DataUrl=data),
        start(context, pipeline, DataUrl=spoilt),
        start(context, pipeline, DataUrl=data, Least=UNREACHABLE),
    ]
    with ThreadPoolExecutor(len(started)) as pool:
        return Runs(*pool.map(partial(ended, context), started))


def _package(context: Context, good: Execution) -> dict[str, Any]:
    """Return the registered version; an empty one where the execution registered none."""
    registered = good.step("Register").get("Metadata", {}).get("RegisterModel")
    if registered is None:
        raise NotInTime(f"the pipeline registered no model: {good.words()}")
    found: dict[str, Any] = context.client("sagemaker").describe_model_package(
        ModelPackageName=registered["Arn"]
    )
    return found


def _check_steps(good: Execution) -> Check:
    found = ", ".join(f"{step['StepName']} {_seconds(step):.1f} s" for step in good.steps)
    promise = "The deployed pipeline prepares, trains, evaluates, judges and registers"
    return Check(promise, good.status == "Succeeded", found if not good.reason else good.words())


def _check_version(context: Context, package: Mapping[str, Any]) -> Check:
    """Read everything that the version refers to."""
    metrics = package["ModelMetrics"]
    wanted = {
        "metrics": metrics["ModelQuality"]["Statistics"]["S3Uri"],
        "baseline statistics": metrics["ModelDataQuality"]["Statistics"]["S3Uri"],
        "baseline constraints": metrics["ModelDataQuality"]["Constraints"]["S3Uri"],
        "explanation": metrics["Explainability"]["Report"]["S3Uri"],
        "model": package["InferenceSpecification"]["Containers"][0]["ModelDataUrl"],
    }
    sizes = {what: len(read_s3(context, uri)) for what, uri in wanted.items()}
    status = package["ModelApprovalStatus"]
    explanation = read_json(context, wanted["explanation"])
    strengths = explanation["explanations"]["kernel_shap"]["label0"]["global_shap_values"]
    strongest = max(strengths, key=strengths.__getitem__)
    found = f"{status}; " + ", ".join(f"{what} {size:,} bytes" for what, size in sizes.items())
    promise = "The version carries metrics, baseline and explanation, and waits for a person"
    passed = all(sizes.values()) and status == "PendingManualApproval"
    return Check(promise, passed, f"{found}; what decides most is {strongest}")


def _check_tracking(context: Context, package: Mapping[str, Any]) -> list[Check]:
    """Read the run back from MLflow, where the environment has it."""
    if "MlflowAppArn" not in context.outputs:
        return []
    promise = "The run is tracked in MLflow and linked from the version"
    run_id = package.get("CustomerMetadataProperties", {}).get("run_id", "")
    if not run_id:
        return [Check(promise, False, "the version names no run")]
    run = read_run(context, run_id)
    plots = [path for path in run.artifacts if path.endswith(".png")]
    found = f"{len(run.metrics)} metrics, {len(run.parameters)} parameters, {len(plots)} plots"
    return [Check(promise, bool(run.metrics and run.parameters and plots), found)]


def _check_spoilt(spoilt: Execution) -> Check:
    named = "MonthlyCharges" in spoilt.reason and "two years" in spoilt.reason
    promise = "Spoilt data end the run with a reason that names column and row"
    return Check(promise, spoilt.status == "Failed" and named, spoilt.words())


def _check_gate(context: Context, refused: Execution) -> Check:
    registered = bool(refused.step("Register"))
    promise = "A model below the gate is not registered, and the run says why"
    right = refused.status == "Failed" and not registered and UNREACHABLE in refused.reason
    return Check(promise, right, refused.words())


def _check_announced(texts: Any, runs: Runs) -> Check:
    """Wait until the topic has told the end of each run."""
    ids = {each.arn.rpartition("/")[2]: each.status for each in vars(runs).values()}

    def told() -> bool:
        said = texts()
        return all(any(id in text and ids[id] in text for text in said) for id in ids)

    promise = "The alarm topic tells how each run ended"
    try:
        until(told, "the announcements", 15)
    except NotInTime:
        return Check(promise, False, f"told: {texts()}")
    return Check(promise, True, ", ".join(sorted(ids.values())))


def _figures(context: Context, package: Mapping[str, Any]) -> list[FigureCard]:
    quality = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    evaluate = quality.rpartition("/evaluation/")[0]
    plots = {uri.rpartition("/")[2]: uri for uri in keys_below(context, f"{evaluate}/plots/")}
    return [
        FigureCard(title, read_s3(context, plots[name]), alt=title)
        for name, title in FIGURES.items()
        if name in plots
    ]


def _figures_table(evaluation: Mapping[str, Any]) -> TableCard:
    metrics = evaluation["binary_classification_metrics"]
    rows = [
        (name.replace("_", " "), f"{metrics[name]['value']:.3f}")
        for name in ("auc", "accuracy", "precision", "recall", "f1")
        if isinstance(metrics.get(name, {}).get("value"), int | float)
    ]
    return TableCard("How good the model is, on customers it never saw", ("Metric", "Value"), rows)


def _steps_table(context: Context, good: Execution) -> TableCard:
    training = context.client("sagemaker").describe_training_job(TrainingJobName=good.job("Train"))
    rows = [
        (step["StepName"], step["StepStatus"], f"{_seconds(step):.1f} s") for step in good.steps
    ]
    spot = "managed spot training with checkpoints" if training["EnableManagedSpotTraining"] else ""
    resources = training["ResourceConfig"]
    note = (
        f"On AWS the training would run on {resources['InstanceCount']} instance of"
        f" {resources['InstanceType']}{', as ' + spot if spot else ''}; here it ran on this"
        " machine."
    )
    return TableCard("The steps of the run", ("Step", "Status", "Took"), rows, note)


def _seconds(step: Mapping[str, Any]) -> float:
    begin, end = step.get("StartTime"), step.get("EndTime")
    if not isinstance(begin, datetime) or not isinstance(end, datetime):
        return 0.0
    return (end - begin).total_seconds()


def _note() -> str:
    return (
        f"{ROWS:,} made-up customers were uploaded and the pipeline was started three times at"
        " once: with good data, with spoilt data, and with a gate that no model can pass."
    )


def _facts(
    runs: Runs, package: Mapping[str, Any], evaluation: Mapping[str, Any], checks: Sequence[Check]
) -> dict[str, Any]:
    return {
        "rows": ROWS,
        "auc": evaluation["binary_classification_metrics"]["auc"]["value"],
        "version": package["ModelPackageVersion"],
        "approval": package["ModelApprovalStatus"],
        "steps": {step["StepName"]: round(_seconds(step), 2) for step in runs.good.steps},
        "executions": {name: each.status for name, each in vars(runs).items()},
        "checks": {check.promise: check.passed for check in checks},
    }

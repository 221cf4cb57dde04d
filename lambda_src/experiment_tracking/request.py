"""What the pipeline's Lambda step asks for.

The step's arguments are flat: SageMaker resolves a value of the execution wherever it is a whole
argument. Hyperparameters come as `parameters.<name>`, final metrics as `metrics.<name>`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PARAMETERS = "parameters."
METRICS = "metrics."
REQUIRED = ("experiment", "execution_arn", "training_job", "model_group", "model_url")
OPTIONAL = ("evaluation_url", "plots_url", "model")
URLS = ("model_url", "evaluation_url", "plots_url")


@dataclass(frozen=True)
class Request:
    """One run to be tracked.

    experiment: the MLflow experiment. model: the model's name, or else the experiment's.
    execution_arn: the run's identity. model_url: S3 URL of model.tar.gz. evaluation_url, plots_url:
    S3 URLs, empty for none. parameters and metrics: what the pipeline itself knows.
    """

    experiment: str
    model: str
    execution_arn: str
    training_job: str
    model_group: str
    model_url: str
    evaluation_url: str
    plots_url: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]

    @property
    def run_name(self) -> str:
        """The execution's id, the last part of its ARN."""
        return self.execution_arn.rpartition("/")[2]

    def tags(self) -> dict[str, str]:
        """The run's tags; `sagelens.execution` is what it is found by again."""
        return {
            "sagelens.execution": self.execution_arn,
            "sagelens.training_job": self.training_job,
            "sagelens.model_group": self.model_group,
            "sagelens.model_url": self.model_url,
            "mlflow.source.type": "JOB",
            "mlflow.source.name": self.experiment,
        }


def read(event: Mapping[str, Any]) -> Request:
    """Read the arguments. Raises ValueError with everything that is wrong with them."""
    problems = [
        f"{name}: got {event.get(name)!r}, allowed is a text that is not empty"
        for name in REQUIRED
        if not isinstance(event.get(name), str) or not event[name]
    ]
    given = {name: event.get(name) or "" for name in URLS}
    problems += [
        f"{name}: got {value!r}, allowed is an S3 URL such as s3://bucket/key"
        for name, value in given.items()
        if value and not _is_url(value)
    ]
    # It stands in quotation marks in the search for the run.
    if any(mark in str(event.get("execution_arn", "")) for mark in "'\"`"):
        problems.append(f"execution_arn: got {event['execution_arn']!r}, which is no ARN")
    known = {*REQUIRED, *OPTIONAL}
    problems += [
        f"{name!r} is no argument; known are {', '.join(sorted(known))}, {PARAMETERS}<name> and "
        f"{METRICS}<name>"
        for name in event
        if name not in known and not name.startswith((PARAMETERS, METRICS))
    ]
    metrics, wrong = _metrics(event)
    problems += wrong
    if problems:
        raise ValueError(
            "the run cannot be tracked; its arguments are wrong: " + "; ".join(problems)
        )
    return Request(
        **{name: event[name] for name in REQUIRED if name != "model_url"},
        **given,
        model=str(event.get("model") or event["experiment"]),
        parameters={
            name.removeprefix(PARAMETERS): str(value)
            for name, value in event.items()
            if name.startswith(PARAMETERS)
        },
        metrics=metrics,
    )


def _metrics(event: Mapping[str, Any]) -> tuple[dict[str, float], list[str]]:
    metrics: dict[str, float] = {}
    problems: list[str] = []
    for name, value in event.items():
        if name.startswith(METRICS):
            try:
                metrics[name.removeprefix(METRICS)] = float(value)
            except (TypeError, ValueError):
                problems.append(f"{name}: got {value!r}, allowed is a number")
    return metrics, problems


def _is_url(value: object) -> bool:
    scheme, _, rest = str(value).partition("://")
    bucket, _, key = rest.partition("/")
    return isinstance(value, str) and scheme == "s3" and bool(bucket and key)

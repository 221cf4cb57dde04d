"""XGBoost as SageMaker's image runs it in algorithm mode: data and hyperparameters, no script.

    python3 xgboost_container.py <the folder that stands for /opt/ml>

A program of its own with nothing but xgboost. It reads the channels `train` and `validation` as CSV
(label first, no header) or libsvm, prints XGBoost's own line a round, keeps checkpoints named as
the image names them, and writes the model as `xgboost-model` in XGBoost's own format. ("XGBoost
algorithm with Amazon SageMaker AI"; github.com/aws/sagemaker-xgboost-container, algorithm_mode.)
What the image can and this cannot is refused: Parquet, RecordIO, cross validation, Dask on GPUs,
and metrics that the image computes itself.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

# Hyperparameters of the image, not of XGBoost.
OWN = (
    "num_round",
    "csv_weights",
    "early_stopping_rounds",
    "eval_metric",
    "save_model_on_termination",
    "_tuning_objective_metric",
    "_kfold",
    "_num_cv_round",
    "use_dask_gpu_training",
)
REFUSED = ("_kfold", "_num_cv_round", "use_dask_gpu_training")
# Metrics that more of is better, for early stopping (as the image's XGB_MAXIMIZE_METRICS).
MAXIMIZE = ("auc", "aucpr", "map", "ndcg")
CHECKPOINT, KEPT = "xgboost-checkpoint", 5
KINDS = {"text/csv": "csv", "csv": "csv", "text/libsvm": "libsvm", "libsvm": "libsvm"}
DEFAULT_KIND = "text/libsvm"
MODEL = "xgboost-model"


def _imported(name: str) -> Any:
    """A package, when it is needed: importing takes a second, and a wrong setting none."""
    return import_module(name)


class UserError(Exception):
    """The job's own mistake, as the image calls it; the text is the reason."""


def channel(ml: Path, name: str, kind: str, weights: bool) -> Any:
    """A channel's data as a matrix; None for a channel that is not there."""
    xgb = _imported("xgboost")

    folder = ml / "input" / "data" / name
    files = sorted(path for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else []
    if not files:
        return None
    if kind == "libsvm":
        return _libsvm(files, name)
    features, labels, given = _csv(files, name, weights)
    return xgb.DMatrix(features, labels, weight=given)


def _csv(files: list[Path], name: str, weights: bool) -> tuple[Any, Any, Any]:
    np = _imported("numpy")

    tables: list[Any] = []
    for path in files:
        try:
            table = _table(path)
        except ValueError as error:
            raise UserError(f"channel {name}, {path.name}: not a CSV table: {error}") from error
        if table.shape[1] < 2 + weights:
            raise UserError(
                f"channel {name}, {path.name}: CSV has {table.shape[1]} column(s); the label comes "
                f"first{', the weight second' if weights else ''}, then the features"
            )
        if np.isnan(table[:, 0]).any():
            line = int(np.isnan(table[:, 0]).argmax()) + 1
            raise UserError(
                f"channel {name}, {path.name}, line {line}: the label (first column) is no number; "
                "CSV for training has no header"
            )
        tables.append(table)
    whole = np.concatenate(tables)
    start = 1 + weights
    return whole[:, start:], whole[:, 0], whole[:, 1] if weights else None


def _table(path: Path) -> Any:
    """A CSV file as numbers; what is empty is missing."""
    np = _imported("numpy")

    try:  # many times quicker, but it takes no empty field
        return np.loadtxt(path, delimiter=",", dtype=np.float32, ndmin=2)
    except ValueError:
        return np.genfromtxt(path, delimiter=",", dtype=np.float32, ndmin=2)


def _libsvm(files: list[Path], name: str) -> Any:
    np, xgb = _imported("numpy"), _imported("xgboost")
    csr_matrix = _imported("scipy.sparse").csr_matrix

    labels: list[float] = []
    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    for path in files:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            words = line.split()
            if not words:
                continue
            try:
                labels.append(float(words[0]))
                for word in words[1:]:
                    column, value = word.split(":")
                    columns.append(int(column))
                    values.append(float(value))
            except ValueError as error:
                raise UserError(
                    f"channel {name}, {path.name}, line {number}: not libsvm "
                    f"(`label index:value …`): {line[:60]!r}"
                ) from error
            ends.append(len(values))
    data = (np.array(values, dtype=np.float32), np.array(columns), np.array(ends))
    return xgb.DMatrix(csr_matrix(data), np.array(labels, dtype=np.float32))


def settings(given: dict[str, str]) -> tuple[dict[str, Any], int, list[str]]:
    """XGBoost's parameters, the number of rounds and the metrics.

    Raises:
        UserError: num_round is missing or wrong, or something that only the image can is asked.
    """
    refused = [name for name in REFUSED if given.get(name) not in (None, "false")]
    if refused:
        raise UserError(f"the rehearsal's XGBoost does not know {', '.join(refused)}")
    try:
        rounds = int(given["num_round"])
    except (KeyError, ValueError) as error:
        raise UserError(
            f"hyperparameter num_round is required, a whole number from 1: "
            f"given {given.get('num_round')!r}"
        ) from error
    if rounds < 1:
        raise UserError(f"hyperparameter num_round={rounds}: allowed is 1 or more")
    metrics = [each.strip() for each in given.get("eval_metric", "").split(",") if each.strip()]
    objective = given.get("_tuning_objective_metric", "").rpartition(":")[2]
    if objective and objective not in metrics:
        metrics.append(objective)
    parameters: dict[str, Any] = {k: v for k, v in given.items() if k not in OWN}
    parameters.setdefault("objective", "reg:squarederror")
    if metrics:
        parameters["eval_metric"] = metrics
    return parameters, rounds, metrics


def newest(folder: Path) -> tuple[Path | None, int]:
    """The last checkpoint and how many rounds it holds."""
    found = {
        int(path.suffix[1:]): path
        for path in folder.glob(f"{CHECKPOINT}.*")
        if path.suffix[1:].isdigit()
    }
    return (found[max(found)], max(found) + 1) if found else (None, 0)


def callbacks(ml: Path, given: dict[str, str], metrics: list[str], start: int) -> list[Any]:
    """Checkpoints, the model of a job that may be ended, and early stopping."""
    xgb = _imported("xgboost")

    checkpoints, model = ml / "checkpoints", ml / "model" / MODEL
    keep = given.get("save_model_on_termination") == "true"

    class Keep(xgb.callback.TrainingCallback):
        def after_iteration(self, booster: Any, epoch: int, evals_log: Any) -> bool:
            del evals_log
            if keep:
                _save(booster, model)
            if checkpoints.is_dir():
                _save(booster, checkpoints / f"{CHECKPOINT}.{start + epoch}")
                (checkpoints / f"{CHECKPOINT}.{start + epoch - KEPT}").unlink(missing_ok=True)
            return False

    made: list[Any] = [Keep()]
    patience = given.get("early_stopping_rounds")
    if patience:
        metric = metrics[-1] if metrics else None
        maximize = metric.partition("@")[0] in MAXIMIZE if metric else None
        stopping = xgb.callback.EarlyStopping(
            rounds=int(patience),
            metric_name=metric,
            data_name="validation",
            maximize=maximize,
            save_best=True,
        )
        made.append(stopping)
    return made


def in_order(given: list[Any]) -> Any:
    """Callbacks as one: XGBoost keeps them as a set, and stops at the first that wants the end."""
    xgb = _imported("xgboost")

    class InOrder(xgb.callback.TrainingCallback):
        def before_training(self, model: Any) -> Any:
            for each in given:
                model = each.before_training(model)
            return model

        def after_training(self, model: Any) -> Any:
            for each in given:
                model = each.after_training(model)
            return model

        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            # All of them, even if the first wants the end.
            return any([each.after_iteration(model, epoch, evals_log) for each in given])  # noqa: C419

    return InOrder()


def _save(booster: Any, place: Path) -> None:
    draft = place.with_name(f".{place.name}.part")
    draft.write_bytes(bytes(booster.save_raw("ubj")))
    draft.replace(place)


def train(ml: Path) -> None:
    """Train and save as the files below the folder say."""
    xgb = _imported("xgboost")

    configuration = ml / "input" / "config"
    given = json.loads((configuration / "hyperparameters.json").read_text())
    channels = json.loads((configuration / "inputdataconfig.json").read_text())
    parameters, rounds, metrics = settings(given)
    sides: dict[str, Any] = {}
    for name in ("train", "validation"):
        named = channels.get(name, {}).get("ContentType") or DEFAULT_KIND
        kind = KINDS.get(named.split(";")[0].strip().lower())
        if kind is None:
            raise UserError(f"channel {name}: content type {named!r}; known are {', '.join(KINDS)}")
        sides[name] = channel(ml, name, kind, given.get("csv_weights") == "1")
    if sides["train"] is None:
        raise UserError("No training data: the channel `train` is required and must hold a file")
    watched = [(data, name) for name, data in sides.items() if data is not None]
    before, start = newest(ml / "checkpoints")
    if before is not None:
        print(f"Checkpoint loaded from {before.name}; resuming from iteration {start}", flush=True)
    monitor = xgb.callback.EvaluationMonitor(logger=partial(_tell, start))
    booster = xgb.train(
        parameters,
        sides["train"],
        max(rounds - start, 0),
        evals=watched,
        xgb_model=before,
        callbacks=[in_order([monitor, *callbacks(ml, given, metrics, start)])],
        verbose_eval=False,
    )
    _save(booster, ml / "model" / MODEL)


def _tell(start: int, line: str) -> None:
    """XGBoost's own line, `[3]\\ttrain-auc:0.84`, with the round counted over all attempts."""
    number, _, rest = line.strip().partition("]")
    print(f"[{int(number[1:]) + start}]{rest}", flush=True)


def main(folder: str) -> int:
    """Run, and leave the reason of a failure where SageMaker reads it."""
    import traceback

    ml = Path(folder)
    try:
        train(ml)
    except Exception as error:
        traceback.print_exc()
        reason = f"framework error: \n{type(error).__name__}: {error}"
        (ml / "output" / "failure").write_text(reason[:1024])
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))

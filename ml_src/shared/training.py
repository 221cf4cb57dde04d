"""Train XGBoost on what a model's prepare.py wrote; script mode of SageMaker's XGBoost image.

    python3 <code>/ml_src/<model>/train.py --max_depth 5 --num_round 100 …

Hyperparameters are arguments, or, where the script is started without any, those in
hyperparameters.json in SM_INPUT_CONFIG_DIR. Channels `train`, `validation` and `encoder` come from
SM_CHANNEL_*, the model goes to SM_MODEL_DIR (artifact.py says what it holds), training.json (each
round's metrics, violated rules) to SM_OUTPUT_DATA_DIR, checkpoints to SM_CHECKPOINT_DIR. What is
not set lies where SageMaker puts it, below /opt/ml.
Each round prints one line, which the model's metric_definitions.json reads:

    [12]#011train-logloss:0.401200#011validation-logloss:0.402310#011validation-auc:0.861301

Set OMP_WAIT_POLICY=PASSIVE in the job's environment; the script sets it where nobody did.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_src.shared.artifact import ModelFolder
from ml_src.shared.checkpoints import Checkpoints
from ml_src.shared.columns import Features
from ml_src.shared.encoding import ENCODER, EncoderError
from ml_src.shared.failure import Arguments, JobError, ending_with_reason, training_place
from ml_src.shared.matrix import Labels
from ml_src.shared.rules import Watch

HYPERPARAMETERS = "hyperparameters.json"
# Of the framework images and of tuning jobs: what begins so is no hyperparameter of the script.
FOREIGN = ("sagemaker_", "_tuning_")
# XGBoost's own parameters: name, type, default (those of the built-in example), least, most.
TREES = (
    ("max_depth", int, 5, 1, 30),
    ("eta", float, 0.2, 1e-6, 1.0),
    ("gamma", float, 4.0, 0.0, 1e9),
    ("min_child_weight", float, 6.0, 0.0, 1e9),
    ("subsample", float, 0.8, 1e-6, 1.0),
    ("colsample_bytree", float, 1.0, 1e-6, 1.0),
    ("lambda", float, 1.0, 0.0, 1e9),
    ("alpha", float, 0.0, 0.0, 1e9),
    ("scale_pos_weight", float, 1.0, 1e-6, 1e9),
    ("seed", int, 1, 0, 2**31 - 1),
)
OTHERS = (
    ("num_round", int, 100, 1, 100_000),
    ("early_stopping_rounds", int, 0, 0, 100_000),
    ("checkpoint_every", int, 20, 1, 100_000),
    ("nthread", int, 0, 0, 1024),
)


@dataclass(frozen=True)
class Learner:
    """What is a model's own in training.

    folder: how the model's folder is written, and its encoder read.
    read: reads a channel's folder of so many features into features and labels.
    objective: XGBoost's, the only one that the model is trained by.
    loss: XGBoost's eval metric of both sides, which early stopping and the rules go by.
    judged: name of a further figure, which tuning may go by.
    judge: gives it by the validation side's labels and predictions.
    usual: defaults that differ from those of `TREES` and `OTHERS`.
    without: those of `TREES` that mean nothing to the objective.
    fixed: further parameters of XGBoost that no hyperparameter changes.
    """

    folder: ModelFolder[Any]
    read: Callable[[Path, int], tuple[Features, Labels]]
    objective: str
    loss: str
    judged: str
    judge: Callable[[Any, Any], float]
    usual: Mapping[str, float] = field(default_factory=dict[str, float])
    fixed: Mapping[str, Any] = field(default_factory=dict[str, Any])
    without: frozenset[str] = frozenset()

    @property
    def trees(self) -> list[Any]:
        """Give XGBoost's own parameters, as `TREES` has them."""
        return [each for each in TREES if each[0] not in self.without]

    def parse(self, argv: Sequence[str]) -> Namespace:
        """Read the command line, ranges checked; raises `JobError`."""
        parser = Arguments(f"Train a {self.folder.name} model.", training_place())
        for name, kind, usual, _, _ in (*self.trees, *OTHERS):
            parser.add_argument(f"--{name}", type=kind, default=self.usual.get(name, usual))
        parser.add_argument("--objective", choices=[self.objective], default=self.objective)
        parser.add_argument("--rules", default="loss_not_decreasing,overfit")
        for option, variable, usual in _places():
            place = Path(os.environ.get(variable, usual))
            parser.add_argument(f"--{option}", type=Path, default=place)
        given = parser.parse_args(argv)
        for name, _, _, least, most in (*self.trees, *OTHERS):
            value = getattr(given, name)
            if not least <= value <= most:
                raise JobError(f"hyperparameter {name}={value:g}: allowed is {least:g} to {most:g}")
        return given

    def train(self, given: Namespace) -> dict[str, Any]:
        """Train as the command line says, save the model and its course.

        Returns:
            What training.json holds.

        Raises:
            JobError: a channel cannot be used, or a rule ended the job.
        """
        watch = Watch.configured(given.rules, self.loss)
        encoder = self._encoder(given.encoder)
        sides = {
            side: self.read(getattr(given, side), len(encoder.columns))
            for side in ("train", "validation")
        }

        from ml_src.shared import boosting  # xgboost takes a second to import: not before data

        parameters = self._parameters(given, len(sides["train"][1]), boosting)
        plan = boosting.Plan(
            parameters,
            self.judge,
            self.judged,
            given.num_round,
            given.early_stopping_rounds,
            given.checkpoint_every,
            _identity([parameters, given.checkpoint_every], encoder, sides),
        )
        train_data = boosting.data(*sides["train"], encoder.columns)
        validation_data = boosting.data(*sides["validation"], encoder.columns, train_data)
        del sides
        checkpoints = Checkpoints(given.checkpoint_dir, self.folder.name)
        try:
            booster, progress = boosting.boost(
                plan,
                train_data,
                validation_data,
                watch=watch,
                checkpoints=checkpoints if _writable(given) else None,
                emit=lambda line: print(line, flush=True),
            )
        except boosting.xgb.core.XGBoostError as error:
            raise JobError(f"xgboost: {str(error).strip().splitlines()[0]}") from error
        self.folder.save(given.model_dir, booster, encoder)
        report = {
            "version": 1,
            "parameters": {
                **parameters,
                "num_round": given.num_round,
                "checkpoint_every": given.checkpoint_every,
            },
            "rounds": progress.rounds,
            "best_round": progress.best,
            "kept_rounds": booster.num_boosted_rounds(),
            "course": progress.course,
            "violations": [vars(violation) for violation in watch.violations],
        }
        _save(given.output_data_dir, report)
        return report

    def _parameters(self, given: Namespace, rows: int, boosting: Any) -> dict[str, Any]:
        parameters = {name: getattr(given, name) for name, *_ in self.trees}
        parameters |= {
            "objective": given.objective,
            "eval_metric": self.loss,
            "tree_method": "hist",
            "seed_per_iteration": True,
            **self.fixed,
        }
        threads = given.nthread or (1 if rows < boosting.FEW_ROWS else 0)
        return {**parameters, "nthread": threads} if threads else parameters

    def _encoder(self, folder: Path) -> Any:
        path = folder if folder.is_file() else folder / ENCODER
        try:
            return self.folder.encoder(path.read_bytes())
        except (OSError, EncoderError) as error:
            raise JobError(f"{path}: the encoder cannot be read: {error}") from error

    def run(self, argv: Sequence[str]) -> None:
        """Train as the arguments or the file of hyperparameters say, and print a last line."""
        config = Path(os.environ.get("SM_INPUT_CONFIG_DIR", "/opt/ml/input/config"))
        report = self.train(self.parse(argv or from_file(config / HYPERPARAMETERS)))
        best = report["course"][report["best_round"]]
        figures = " ".join(
            f"best_validation_{name}={best[f'validation:{name}']:.6f}"
            for name in (self.judged, self.loss)
        )
        print(
            f"trained rounds={report['rounds']} kept={report['kept_rounds']} "
            f"best_round={report['best_round']} {figures}"
        )

    def main(self, argv: Sequence[str] | None = None) -> None:
        """Run as a script: the reason of a failure goes where SageMaker reads it."""
        arguments = sys.argv[1:] if argv is None else argv
        sys.exit(ending_with_reason(self.run, arguments, training_place()))


def from_file(path: Path) -> list[str]:
    """Turn SageMaker's file of hyperparameters (a JSON object of texts) into arguments.

    Names that begin as `FOREIGN` says are left out.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        raise JobError(f"{path}: the hyperparameters cannot be read: {error}") from error
    return [f"--{name}={value}" for name, value in found.items() if not name.startswith(FOREIGN)]


def _places() -> list[tuple[str, str, str]]:
    """Give the folders: option, the variable that names it, and where SageMaker puts it."""
    channels = ("train", "validation", "encoder")
    return [
        *((name, f"SM_CHANNEL_{name.upper()}", f"/opt/ml/input/data/{name}") for name in channels),
        ("model-dir", "SM_MODEL_DIR", "/opt/ml/model"),
        ("output-data-dir", "SM_OUTPUT_DATA_DIR", "/opt/ml/output/data"),
        ("checkpoint-dir", "SM_CHECKPOINT_DIR", "/opt/ml/checkpoints"),
    ]


def _identity(settings: list[Any], encoder: Any, sides: Any) -> str:
    """Give a digest of what decides on each round: parameters, encoding and data."""
    digest = hashlib.sha256(json.dumps([settings, encoder.document()], sort_keys=True).encode())
    for features, labels in sides.values():
        digest.update(repr(features.shape).encode())
        digest.update(features)
        digest.update(labels)
    return digest.hexdigest()


def _save(folder: Path, report: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(report, indent=1) + "\n"
    (folder / "training.json").write_text(text, encoding="utf-8")


def _writable(given: Namespace) -> bool:
    """Keep checkpoints only where their folder is, or can be made, outside SageMaker too."""
    return given.checkpoint_dir.is_dir() or given.checkpoint_dir.parent.is_dir()

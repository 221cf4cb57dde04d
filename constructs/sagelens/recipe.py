"""Where a model's scripts lie in the code archive, and what they read and write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .algorithms import Algorithm, algorithm
from .algorithms.channel import CSV, JSON, JSON_LINES
from .algorithms.instances import Processor

TRAIN = "ml_src/{model}/train.py"
EVALUATE = "ml_src/{model}/evaluate.py"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is made: its scripts, and what each of them reads and writes.

    ``Recipe(model="churn")`` is the conventional one; whatever differs is said by name. Paths are
    those in the code archive, and ``{model}`` in a text stands for the model's name.

    The scripts are started so, each with ``arguments`` of its own added::

        python3 <prepare> --input <folder> --output <folder> --failure-file <file>
        python3 <train>
        python3 <evaluate> --model <folder> --<channel> <folder>… --output <folder>
                           --failure-file <file>

    ``prepare`` and ``evaluate`` write one folder below ``--output`` for each name of ``prepared``
    and ``evaluated``. ``train`` reads SM_CHANNEL_<NAME>, SM_MODEL_DIR, SM_OUTPUT_DATA_DIR,
    SM_OUTPUT_DIR (where it writes ``failure``), SM_CHECKPOINT_DIR, and its hyperparameters from
    ``hyperparameters.json`` in SM_INPUT_CONFIG_DIR. In a tuning job the container's own script
    mode starts ``program`` at the archive's root, with the hyperparameters as arguments.

    With a built-in algorithm nothing of one's own runs in training and, by convention, nothing is
    evaluated: the gate then reads a metric of the training job.

    Args:
        model: The model's name, also the first folder of everything it leaves in S3.
        prepare: The script that makes channels of raw data.
        train: The script that trains; not used with a built-in algorithm. None: an image of one's
            own brings its own program.
        evaluate: The script that judges the model; None: none does.
        program: File at the archive's root that a container in script mode starts, which it does
            in tuning and with ``script_mode``.
        script_mode: Whether the container's own starter runs ``program`` in training too: it sets
            up what distributed training takes. Otherwise ``train`` is started directly, and the
            reason of a failure is its own.
        prepare_arguments: Further arguments of ``prepare``.
        evaluate_arguments: Further arguments of ``evaluate``.
        prepared: What ``prepare`` writes, a folder each.
        channels: Which of these are channels of the training job; None: train, validation and
            encoder, or with a built-in algorithm those channels of its own that are prepared.
        content_type: What a built-in algorithm is told of its channels, such as
            ``text/csv;label_size=0`` for one without labels.
        evaluated: What ``evaluate`` writes, a folder each.
        evaluation_channels: Which of ``prepared`` the script ``evaluate`` reads.
        evaluation: File of the metrics, in the folder of the first name of ``evaluated``; the gate
            reads it.
        plots: Name in ``evaluated`` of the folder of plots; None: there are none.
        baseline: Name in ``prepared`` of the folder with statistics.json and constraints.json;
            None: there is none.
        explainability: File of a report on what the model decides by, below ``evaluate``'s output,
            in the form of SageMaker Clarify, which need not have made it; None: there is none.
        metrics: File that maps names of metrics to the expressions that find them in the log of
            ``train``; None: those of the algorithm serve.
        rule_metrics: The same for the training rules.
        serving: File that the inference image imports, in the model's folder ``code``; None: the
            image serves by itself, as built-in algorithms do.
        serving_processor: Which variant of the inference image serves.
        content_types: What the model reads; None: what the algorithm's image reads, or CSV, JSON
            and JSON Lines with a script.
        response_types: What it answers.
        processing: Algorithm of the catalogue in whose image ``prepare`` and ``evaluate`` run;
            None: that of the model, or scikit-learn's where its image runs no script.
    """

    model: str
    prepare: str = "ml_src/{model}/prepare.py"
    train: str | None = TRAIN
    evaluate: str | None = EVALUATE
    program: str = "{model}_train.py"
    script_mode: bool = False
    prepare_arguments: Sequence[str] = ()
    evaluate_arguments: Sequence[str] = ()
    prepared: Sequence[str] = ("train", "validation", "test", "encoder", "baseline", "report")
    channels: Sequence[str] | None = None
    content_type: str = CSV
    evaluated: Sequence[str] = ("evaluation", "explainability", "plots")
    evaluation_channels: Sequence[str] = ("validation", "test")
    evaluation: str = "evaluation.json"
    plots: str | None = "plots"
    baseline: str | None = "baseline"
    explainability: str | None = "explainability/analysis.json"
    metrics: str | None = "ml_src/{model}/metric_definitions.json"
    rule_metrics: str | None = "ml_src/shared/rule_metric_definitions.json"
    serving: str | None = "inference.py"
    serving_processor: Processor = "cpu"
    content_types: Sequence[str] | None = None
    response_types: Sequence[str] = (CSV, JSON, JSON_LINES)
    processing: Algorithm | None = None

    def at(self, template: str | None) -> str | None:
        """A path with the model's name in it."""
        return None if template is None else template.replace("{model}", self.model)

    def trains_by_script(self, chosen: Algorithm) -> bool:
        """Whether a script of one's own trains."""
        return chosen.mode != "built-in" and self.train is not None

    def evaluates(self, chosen: Algorithm) -> bool:
        """Whether a script judges the model; the conventional one reads no built-in's model."""
        conventional = chosen.mode == "built-in" and self.evaluate == EVALUATE
        return self.evaluate is not None and not conventional

    def training_channels(self, chosen: Algorithm) -> list[str]:
        """The channels of the training job, but for the code."""
        if self.channels is not None:
            return list(self.channels)
        if chosen.mode == "built-in":
            return [one.name for one in chosen.channels if one.name in self.prepared]
        return [name for name in ("train", "validation", "encoder") if name in self.prepared]

    def processing_algorithm(self, chosen: Algorithm) -> Algorithm:
        """The algorithm in whose image the scripts besides training run."""
        if self.processing is not None:
            return self.processing
        # The image of built-in XGBoost is that of the framework; the others' run no script.
        own = chosen.mode != "built-in" or chosen.name == "xgboost"
        return chosen if own else algorithm("scikit-learn")

    def served_types(self, chosen: Algorithm) -> list[str]:
        """The content types that a model reads."""
        if self.content_types is not None:
            return list(self.content_types)
        return list(chosen.serves) or [CSV, JSON, JSON_LINES]

    def serves_by_script(self, chosen: Algorithm) -> bool:
        """Whether the inference image imports a file of the model's folder."""
        return chosen.mode == "script" and self.serving is not None

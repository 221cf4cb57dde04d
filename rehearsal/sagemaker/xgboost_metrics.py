"""The metric definitions that SageMaker itself applies to its XGBoost image, in both its modes.

As DescribeHyperParameterTuningJob and DescribeTrainingJob answer them; a request may not bring its
own ("You can't override the metric definitions for Amazon SageMaker algorithms"), in script mode
neither. A script's lines count if they look like XGBoost's own: `[12]#011validation-auc:0.86`.
"""

NUMBER = r"([-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
NAMES = (
    "accuracy",
    "auc",
    "aucpr",
    "error",
    "f1",
    "gamma-deviance",
    "gamma-nloglik",
    "logloss",
    "mae",
    "map",
    "merror",
    "mlogloss",
    "mse",
    "ndcg",
    "poisson-nloglik",
    "rmse",
    "tweedie-nloglik",
)
VALIDATION_ONLY = ("balanced_accuracy", "f1_binary", "f1_macro", "precision", "r2", "recall")


def definitions(objective: str | None = None) -> list[dict[str, str]]:
    """[{"Name":, "Regex":}] as SageMaker answers them.

    Args:
        objective: of a tuning job, for example validation:auc, which joins as `ObjectiveMetric`.
    """
    names = [(side, name) for side in ("train", "validation") for name in NAMES]
    names += [("validation", name) for name in VALIDATION_ONLY]
    found = [_definition(f"{side}:{name}", side, name) for side, name in names]
    if objective:
        side, _, name = objective.partition(":")
        found.append(_definition("ObjectiveMetric", side, name))
    return found


def _definition(title: str, side: str, name: str) -> dict[str, str]:
    return {"Name": title, "Regex": rf".*\[[0-9]+\].*#011{side}-{name}:{NUMBER}.*"}

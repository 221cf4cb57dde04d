"""Training pipelines of every kind, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_cdk import aws_ec2 as ec2

from sagelens import (
    Gate,
    Job,
    JobSurroundings,
    Network,
    PipelineJobs,
    PrivateNetwork,
    Recipe,
    TrainingJob,
    Tuning,
)
from sagelens.algorithms import CategoricalRange, IntegerRange, Metric, algorithm, own_image
from tests.constructs.training.conftest import Parts, Recorder

OWN = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine/trainer:1.2"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:record"
# A script's own; the archive has no other model than churn yet.
SCRIPTS: dict[str, Any] = {
    "prepare": "ml_src/churn/prepare.py",
    "train": "ml_src/churn/train.py",
    "evaluate": "ml_src/churn/evaluate.py",
}


def network(parts: Parts) -> Network:
    """A network for jobs."""
    made = PrivateNetwork(
        parts.stack, "Net", cidr="10.9.0.0/16", services=["sts"], encryption_key=parts.key
    )
    group = ec2.SecurityGroup(parts.stack, "Jobs", vpc=made.vpc, allow_all_outbound=False)
    return Network(vpc=made.vpc, security_groups=[group])


TUNING = Tuning(ranges={"eta": None, "max_depth": IntegerRange(3, 9)}, objective="validation:auc")

VARIANTS: dict[str, Callable[[Parts], dict[str, Any]]] = {
    "usual": lambda _: {},
    "rules": lambda _: {"rules": {"overfit": "warn", "loss_not_decreasing": "end"}},
    "tracked": lambda _: {"tracking": Recorder(FUNCTION)},
    "cached": lambda _: {"cache_days": 30},
    "cached on demand": lambda _: {
        "cache_days": 30,
        "jobs": PipelineJobs(train=TrainingJob(spot=False)),
    },
    "tuned": lambda _: {
        "hyperparameters": {"num_round": 50},
        "tuning": TUNING,
        "tracking": Recorder(FUNCTION),
    },
    "tuned by grid": lambda _: {
        "hyperparameters": {"num_round": 50},
        "tuning": Tuning(
            ranges={"max_depth": CategoricalRange(("3", "5", "7"))},
            objective="validation:auc",
            strategy="Grid",
        ),
    },
    "tuned by hyperband": lambda _: {
        "hyperparameters": {"num_round": 50},
        "tuning": Tuning(
            ranges={"eta": None},
            objective="validation:auc",
            strategy="Hyperband",
            resources=(10, 100),
            max_runtime_seconds=7200,
            seed=3,
        ),
    },
    "built in": lambda _: {
        "algorithm": algorithm("xgboost"),
        "hyperparameters": {"num_round": 100, "objective": "binary:logistic"},
        "gate": Gate(metric="validation:auc", at_least=0.7),
    },
    "built in and tuned": lambda _: {
        "algorithm": algorithm("xgboost"),
        "hyperparameters": {"num_round": 100, "objective": "binary:logistic"},
        "tuning": Tuning(ranges={"eta": None}, objective="validation:logloss"),
        "gate": Gate(metric="validation:logloss", at_most=0.5),
        "tracking": Recorder(FUNCTION),
    },
    "built in without checkpoints": lambda _: {
        "algorithm": algorithm("kmeans"),
        "recipe": Recipe(model="churn", content_type="text/csv;label_size=0"),
        "hyperparameters": {"k": 4, "feature_dim": 46},
        "gate": Gate(metric="test:msd", at_most=3),
    },
    "torch on gpus": lambda _: {
        "algorithm": algorithm("pytorch"),
        "recipe": Recipe(model="net", script_mode=True, metrics=None, **SCRIPTS),
        "hyperparameters": {"epochs": 3},
        "rules": {"vanishing_gradient": "end", "exploding_gradient": "warn"},
        "debugger": True,
        "jobs": PipelineJobs(
            train=TrainingJob(instance_type="ml.g5.xlarge", instance_count=2),
            evaluate=Job(instance_type="ml.g4dn.xlarge"),
        ),
    },
    "own image": lambda _: {
        "algorithm": own_image(
            OWN, checkpoints=True, metrics=(Metric("test:f1", "Maximize", "f1=([0-9.]+)"),)
        ),
        "recipe": Recipe(model="churn", train=None, evaluate=None, baseline=None),
        "gate": Gate(metric="test:f1", at_least=0.5),
    },
    "own image with scripts": lambda _: {"algorithm": own_image(OWN, OWN, checkpoints=True)},
    "in a network": lambda parts: {"surroundings": JobSurroundings(network=network(parts))},
    "open": lambda _: {
        "surroundings": JobSurroundings(network_isolation=False, encrypt_between_instances=False),
        "announce": (),
        "approval_status": "Approved",
    },
}
"""Changes to the shortest use, by name; made for the parts given."""

"""What is known of MLflow apps: where there are any, and the actions that policies speak of.

Source: "Actions, resources, and condition keys for Amazon SageMaker with MLflow" (Service
Authorization Reference).
"""

from __future__ import annotations

MLFLOW_APP_REGIONS = frozenset(
    (
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-south-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ca-central-1",
        "eu-central-1",
        "eu-isoe-west-1",
        "eu-north-1",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eusc-de-east-1",
        "me-south-1",
        "sa-east-1",
        "us-east-1",
        "us-east-2",
        "us-iso-east-1",
        "us-iso-west-1",
        "us-isob-east-1",
        "us-isob-west-1",
        "us-isof-east-1",
        "us-isof-south-1",
        "us-west-1",
        "us-west-2",
    )
)
"""Regions where CloudFormation knows MLflow apps, as the pinned cfn-lint lists them (a test
compares)."""

READ_ACTIONS = (
    "GetExperiment",
    "GetExperimentByName",
    "GetMetricHistory",
    "GetRun",
    "ListArtifacts",
    "SearchExperiments",
    "SearchRuns",
)
"""Of `sagemaker-mlflow`: look at experiments and runs."""
WRITE_ACTIONS = (
    "CreateExperiment",
    "CreateRun",
    "DeleteTag",
    "LogBatch",
    "LogInputs",
    "LogMetric",
    "LogModel",
    "LogParam",
    "SetExperimentTag",
    "SetTag",
    "UpdateExperiment",
    "UpdateRun",
)
"""Of `sagemaker-mlflow`: write them, without deleting."""
FUNCTION_ACTIONS = (
    "CreateExperiment",
    "CreateRun",
    "GetExperimentByName",
    "LogBatch",
    "SearchRuns",
    "UpdateRun",
)
"""Of `sagemaker-mlflow`: what the function calls."""

"""Record what SageMaker's own toolkit makes of a training job, as data for a test.

In an environment of its own, because the package compiles C and brings much along:

    python3 -m venv toolkit && toolkit/bin/pip install sagemaker-training==5.1.4
    toolkit/bin/python tests/rehearsal/toolkit/record.py > tests/rehearsal/toolkit/recorded.json

The folder that stands for /opt/ml is written as `/opt/ml` and the number of processors as 0, so
that the record is the same on every machine.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

JOB = "churn-1"
HYPERPARAMETERS = {
    "max_depth": "5",
    "eta": "0.2",
    "text": "a b",
    "quoted": '"text"',
    "flag": "true",
    "nothing": "null",
    "list": "[1, 2]",
    "map": '{"b": 1, "a": "x"}',
    "k": "1",
    "sagemaker_program": '"train.py"',
    "sagemaker_submit_directory": '"s3://code/source.tar.gz"',
    "sagemaker_container_log_level": "20",
    "sagemaker_job_name": '"churn-1"',
    "sagemaker_region": '"us-east-1"',
    "sagemaker_mpi_enabled": "false",
    "_tuning_objective_metric": "validation:auc",
}
CHANNELS = {
    "train": {
        "ContentType": "text/csv",
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    },
    "a-b.c": {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
    },
}
RESOURCES = {
    "current_host": "algo-1",
    "current_instance_type": "ml.m5.xlarge",
    "current_group_name": "homogeneousCluster",
    "hosts": ["algo-1"],
    "instance_groups": [
        {
            "instance_group_name": "homogeneousCluster",
            "instance_type": "ml.m5.xlarge",
            "hosts": ["algo-1"],
        }
    ],
    "network_interface_name": "eth0",
}


def record(folder: Path) -> dict[str, object]:
    """Lay the job's files out below a folder and ask the toolkit for its variables."""
    configuration = folder / "input" / "config"
    configuration.mkdir(parents=True)
    for name, content in (
        ("hyperparameters", HYPERPARAMETERS),
        ("inputdataconfig", CHANNELS),
        ("resourceconfig", RESOURCES),
    ):
        (configuration / f"{name}.json").write_text(json.dumps(content))
    os.environ |= {
        "SAGEMAKER_BASE_DIR": str(folder),
        "TRAINING_JOB_NAME": JOB,
        "SAGEMAKER_TRAINING_MODULE": "sagemaker_xgboost_container.training:main",
        "AWS_REGION": "us-east-1",
    }
    from sagemaker_training import environment  # pyright: ignore

    known = environment.Environment()
    variables = known.to_env_vars()
    training = json.loads(variables["SM_TRAINING_ENV"])
    training["num_cpus"] = 0
    compact = json.dumps(training, sort_keys=True, separators=(",", ":"))
    variables |= {"SM_NUM_CPUS": "0", "SM_TRAINING_ENV": compact}
    found = {"variables": variables, "arguments": known.to_cmd_args()}
    return json.loads(json.dumps(found).replace(str(folder), "/opt/ml"))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        json.dump(record(Path(made).resolve()), sys.stdout, indent=1, sort_keys=True)
        sys.stdout.write("\n")

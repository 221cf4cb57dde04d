"""What the definition tells containers to start runs, with /opt/ml at another place.

The commands, arguments, variables and the code archive are those of the synthesized stack; only
SageMaker's own part, moving files from one job to the next, is done here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from ml_src.churn import generate
from tests.constructs.training.conftest import Made, Parts
from tests.constructs.training.variants import TUNING


def moved(value: Any, root: Path) -> Any:
    """A value with /opt/ml at another place."""
    return json.loads(json.dumps(value).replace("/opt/ml", str(root)))


def run(command: list[str], root: Path, environment: dict[str, str]) -> str:
    """Start a container's command with its variables and nothing else."""
    for folder in ("output", "model", "checkpoints"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    # The command says python3: the one that runs this test.
    tools = root / "bin"
    tools.mkdir(exist_ok=True)
    (tools / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (tools / "python3").chmod(0o755)
    path = {"PATH": f"{tools}:{os.defpath}", "LANG": "C.UTF-8"}
    done = subprocess.run(command, env={**path, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def made(parts: Parts) -> Made:
    """The usual pipeline with few rounds, but enough for a checkpoint."""
    return parts.made(hyperparameters={"num_round": 40, "max_depth": 4}, rules={"overfit": "warn"})


def code(made: Made, folder: Path) -> None:
    """Put the published archive where the code's input lies."""
    outdir = Path(made.pipeline.node.root.outdir)  # type: ignore[attr-defined]
    (archive,) = outdir.glob("asset.*.tgz")
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(archive, folder / archive.name.removeprefix("asset."))


def process(made: Made, name: str, root: Path) -> str:
    arguments = moved(made.steps[name]["Arguments"], root)
    job = arguments["AppSpecification"]
    code(made, root / "processing/input/code")
    command = [*job["ContainerEntrypoint"], *job["ContainerArguments"]]
    return run(command, root, arguments["Environment"])


def prepared(made: Made, root: Path) -> Path:
    data = root / "processing/input/data"
    data.mkdir(parents=True)
    generate.write(data / "customers.csv", generate.blocks(3000, seed=2))
    assert process(made, "Prepare", root).startswith("prepared rows=")
    outputs = made.steps["Prepare"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    for one in outputs:
        folder = Path(moved(one["S3Output"]["LocalPath"], root))
        assert any(folder.iterdir()), one
    return root / "processing/output"


def test_the_whole_pipelines_commands_run(made: Made, tmp_path: Path) -> None:
    channels = prepared(made, tmp_path / "prepare")

    root = tmp_path / "train"
    arguments = moved(made.steps["Train"]["Arguments"], root)
    for one in arguments["InputDataConfig"]:
        name = one["ChannelName"]
        if name != "code":
            shutil.copytree(channels / name, root / "input/data" / name)
    code(made, root / "input/data/code")
    config = root / "input/config"
    config.mkdir()
    given = {name: made.parameters[name] for name in arguments["HyperParameters"]}
    (config / "hyperparameters.json").write_text(json.dumps(given))
    specification = arguments["AlgorithmSpecification"]
    command = [*specification["ContainerEntrypoint"], *specification["ContainerArguments"]]
    said = run(command, root, arguments["Environment"])
    assert "trained rounds=40" in said
    assert (root / "output/data/training.json").is_file()
    assert list((root / "checkpoints").iterdir())
    serving = made.steps["Register"]["Arguments"]["InferenceSpecification"]["Containers"][0]
    program = serving["Environment"]["SAGEMAKER_PROGRAM"]
    place = moved(serving["Environment"]["SAGEMAKER_SUBMIT_DIRECTORY"], root)
    assert (Path(place) / program).is_file()

    judge = tmp_path / "evaluate"
    for name in ("validation", "test"):
        shutil.copytree(channels / name, judge / "processing/input" / name)
    (judge / "processing/input/model").mkdir()
    with tarfile.open(judge / "processing/input/model/model.tar.gz", "w:gz") as archive:
        archive.add(root / "model", arcname=".")
    process(made, "Evaluate", judge)
    step = made.steps["Evaluate"]
    (file,) = step["PropertyFiles"]
    report = json.loads(
        (judge / "processing/output" / file["OutputName"] / file["FilePath"]).read_text()
    )
    path = made.steps["Gate"]["Arguments"]["Conditions"][0]["LeftValue"]["Std:JsonGet"]["Path"]
    value = report
    for part in path.split("."):
        value = value[part]
    assert 0.6 < value < 1
    assert list((judge / "processing/output/plots").glob("*.png"))


def test_a_failures_reason_goes_where_sagemaker_reads_it(made: Made, tmp_path: Path) -> None:
    root = tmp_path / "prepare"
    (root / "processing/input/data").mkdir(parents=True)
    (root / "processing/input/data/customers.csv").write_text("a,b\n1,2\n")
    with pytest.raises(AssertionError, match="customerID"):
        process(made, "Prepare", root)
    assert "customerID" in (root / "output/message").read_text()


def test_the_program_of_script_mode_starts_from_the_archive(parts: Parts, tmp_path: Path) -> None:
    """As a container's own starter does it in a tuning job: unpack, and run the module."""
    made = parts.made(hyperparameters={"num_round": 8}, tuning=TUNING)
    channels = prepared(made, tmp_path / "prepare")
    root = tmp_path / "tune"
    definition = moved(made.steps["Tune"]["Arguments"]["TrainingJobDefinition"], root)
    static = definition["StaticHyperParameters"]
    code(made, root / "input/data/code")
    archive = Path(static["sagemaker_submit_directory"])
    assert archive.is_file()
    with tarfile.open(archive) as opened:
        opened.extractall(root / "code", filter="data")
    for name in ("train", "validation", "encoder"):
        shutil.copytree(channels / name, root / "input/data" / name)
    module = static["sagemaker_program"].removesuffix(".py")
    environment = {**definition["Environment"], "PYTHONPATH": str(root / "code")}
    command = ["python3", "-m", module, "--num_round", "8", "--eta", "0.3", "--max_depth", "5"]
    assert "trained rounds=8" in run(command, root, environment)

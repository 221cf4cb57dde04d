"""Script mode against SageMaker's own toolkit: on record, and itself where it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from rehearsal.sagemaker.container import Container, resource_configuration
from rehearsal.sagemaker.jobs import JobFailed
from rehearsal.sagemaker.script_mode import Job, decoded, failure, is_script, unpack_code
from tests.rehearsal.job_bench import archive
from tests.rehearsal.toolkit.record import CHANNELS, HYPERPARAMETERS, JOB, RESOURCES

TOOLKIT = Path(__file__).with_name("toolkit")
job = Job(JOB, HYPERPARAMETERS, CHANNELS, RESOURCES, cpus=0)


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return json.loads((TOOLKIT / "recorded.json").read_text())


def test_every_variable_is_the_toolkits(recorded: dict[str, Any]) -> None:
    assert len(recorded["variables"]) > 40
    assert job.variables() == recorded["variables"]


def test_options_are_the_toolkits(recorded: dict[str, Any]) -> None:
    assert job.arguments() == recorded["arguments"]


@pytest.mark.skipif(
    find_spec("sagemaker_training") is None,
    reason="sagemaker-training is not installed (it compiles C); what it says is on record",
)
def test_record_is_what_the_installed_toolkit_says(recorded: dict[str, Any]) -> None:
    command = [sys.executable, str(TOOLKIT / "record.py")]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(said) == recorded


def test_our_resource_configuration_is_the_recorded_one() -> None:
    assert resource_configuration("ml.m5.xlarge") == RESOURCES


def test_hyperparameters_are_read_as_the_toolkit_reads_them() -> None:
    given = {"a": "1", "b": '"1"', "c": "x", "d": "[1", "e": "true", "f": "1e-3"}
    read = {"a": 1, "b": "1", "c": "x", "d": "[1", "e": True, "f": 0.001}
    assert decoded(given) == read


def test_program_may_come_by_the_environment() -> None:
    named = Job(JOB, {}, {}, RESOURCES, 1, program="other.py")
    assert is_script({}, {"SAGEMAKER_PROGRAM": "other.py"})
    assert not is_script({"max_depth": "5"}, {})
    assert named.entry_point() == "other.py"
    assert named.variables()["SM_MODULE_NAME"] == "other"


def test_code_comes_from_an_archive_or_a_folder(tmp_path: Path) -> None:
    for number, isolated in enumerate((True, False)):
        container = Container(tmp_path, "training", f"job-{number}")
        place = container.ml / "input/data/code"
        place.mkdir(parents=True)
        (place / "source.tar.gz").write_bytes(archive({"train.py": "pass"}))
        source = "/opt/ml/input/data/code/source.tar.gz"
        code = unpack_code(container, source, isolated, lambda location, folder: None)
        assert (code / "train.py").read_text() == "pass"
        (place / "more.py").write_text("pass")
        code = unpack_code(container, "/opt/ml/input/data/code", isolated, lambda a, b: None)
        assert (code / "more.py").exists()


@pytest.mark.parametrize(
    ("files", "isolated", "source", "words"),
    [
        ({"requirements.txt": "x"}, False, None, "requirements.txt"),
        ({"../out": "x"}, False, None, "cannot be unpacked"),
        (None, False, None, "cannot be unpacked"),
        ({"a": "x"}, True, "s3://b/source.tar.gz", "network isolation"),
    ],
)
def test_code_that_cannot_be_used(
    tmp_path: Path, files: Any, isolated: bool, source: str | None, words: str
) -> None:
    container = Container(tmp_path, "training", "job")
    place = container.ml / "input/data/code"
    place.mkdir(parents=True)
    content = b"no archive" if files is None else archive(files)
    (place / "source.tar.gz").write_bytes(content)
    given = source or "/opt/ml/input/data/code/source.tar.gz"
    with pytest.raises(JobFailed, match=words) as error:
        unpack_code(container, given, isolated, lambda location, folder: None)
    assert str(error.value).startswith("AlgorithmError: framework error: ")
    assert not (tmp_path / "out").exists()


def test_only_opt_ml_is_rewritten(tmp_path: Path) -> None:
    container = Container(tmp_path, "training", "job")
    ml = container.ml
    assert container.rewrite("tar -xzf /opt/ml/a -C /opt/ml") == f"tar -xzf {ml}/a -C {ml}"
    assert container.rewrite("--model-dir=/opt/ml/model:/opt/ml") == f"--model-dir={ml}/model:{ml}"
    for text in ("/opt/mlflow", "s3://bucket/opt/ml/x", "/srv/opt/ml", "/opt/ml-2", str(ml)):
        assert container.rewrite(text) == text
    with pytest.raises(ValueError, match="not below /opt/ml"):
        container.path("/opt/ml/../../etc/passwd")


def test_failure_names_the_command() -> None:
    text = failure(["python3", "-m", "train", "--eta", "0.2"])
    assert text == 'ExecuteUserScriptError:\nCommand "python3 -m train --eta 0.2"'

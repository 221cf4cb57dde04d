"""Script mode: how SageMaker's framework images start a script of the user's.

What the toolkit in those images does (PyPI package sagemaker-training, `environment.py`,
`mapping.py`): hyperparameters become options, and everything known of the job SM_* variables. Held
against that package by tests/rehearsal/test_sagemaker_script_mode.py.
"""

import json
import shutil
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from rehearsal.sagemaker.container import HOST, NETWORK_INTERFACE, Container
from rehearsal.sagemaker.jobs import JobFailed
from rehearsal.sagemaker.locations import Location

PROGRAM, DIRECTORY = "sagemaker_program", "sagemaker_submit_directory"
MODULE = "sagemaker_xgboost_container.training:main"
PREFIX = "sagemaker_"
INFO = 20
# Hyperparameters that the toolkit keeps for itself.
OWN = frozenset(
    {
        PROGRAM,
        DIRECTORY,
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "default_user_module_name",
        "_tuning_objective_metric",
        "sagemaker_s3_output",
    }
)
Fields = dict[str, Any]
# What holds of every job of one instance without accelerators.
FIXED: Fields = {
    "current_host": HOST,
    "distribution_hosts": [],
    "distribution_instance_groups": [],
    "framework_module": MODULE,
    "is_master": True,
    "is_modelparallel_enabled": None,
    "is_smddpmprun_installed": False,
    "is_smddprun_installed": False,
    "master_hostname": HOST,
    "network_interface_name": NETWORK_INTERFACE,
    "num_gpus": 0,
    "num_neurons": 0,
}


def decoded(hyperparameters: Mapping[str, str]) -> Fields:
    """Hyperparameters as the toolkit reads them: JSON where they are JSON, else the text."""
    values: Fields = {}
    for name, text in hyperparameters.items():
        try:
            values[name] = json.loads(text)
        except ValueError:
            values[name] = text
    return values


def is_script(hyperparameters: Mapping[str, str], environment: Mapping[str, str]) -> bool:
    """Whether a job of a framework image names a script."""
    return PROGRAM in hyperparameters or PROGRAM.upper() in environment


@dataclass(frozen=True)
class Job:
    """What the toolkit knows of a training job.

    Attributes:
        name: of the job.
        hyperparameters: as in hyperparameters.json.
        channels: inputdataconfig.json.
        resources: resourceconfig.json.
        cpus: of the instance, here of this machine.
        program: SAGEMAKER_PROGRAM of the job's environment, if it is given so.
        ml: /opt/ml; another folder only where the toolkit itself is run elsewhere.
    """

    name: str
    hyperparameters: Mapping[str, str]
    channels: Mapping[str, Any]
    resources: Mapping[str, Any]
    cpus: int
    program: str | None = None
    ml: Path = Path("/opt/ml")

    def arguments(self) -> list[str]:
        """The script's options, in the order of their names."""
        return [
            word
            for name, value in sorted(self._split()[1].items())
            for word in (f"--{name}" if len(name) > 1 else f"-{name}", _argument(value))
        ]

    def entry_point(self) -> str:
        """The script, in the folder of the code."""
        return self.program or str(self._split()[0].get(PROGRAM, ""))

    def variables(self) -> dict[str, str]:
        """Every SM_* variable."""
        known = self._known()
        listed = {name: known[name] for name in _LISTED}
        listed |= {
            "hps": known["hyperparameters"],
            "framework_params": known["additional_framework_parameters"],
            "channels": sorted(self.channels),
            "training_env": known,
            "user_args": self.arguments(),
        }
        for name in self.channels:
            listed[f"channel_{name}"] = known["channel_input_dirs"][name]
        for name, value in known["hyperparameters"].items():
            listed[f"hp_{name}"] = value
        return {f"SM_{name.upper()}": _variable(value) for name, value in listed.items()}

    def _split(self) -> tuple[Fields, Fields]:
        """SageMaker's own hyperparameters and the script's."""
        values = decoded(self.hyperparameters)
        own = {k: v for k, v in values.items() if k in OWN or k.startswith(PREFIX)}
        return own, {k: v for k, v in values.items() if k not in own}

    def _known(self) -> Fields:
        own, hyperparameters = self._split()
        program = self.program or own.get(PROGRAM)
        return {
            **FIXED,
            **self._places(),
            **self._groups(),
            "additional_framework_parameters": {k: v for k, v in own.items() if k not in OWN},
            "current_instance_type": self.resources.get("current_instance_type", "local"),
            "hosts": self.resources["hosts"],
            "hyperparameters": hyperparameters,
            "input_data_config": dict(self.channels),
            "job_name": self.name,
            "log_level": own.get("sagemaker_container_log_level", INFO),
            "module_dir": str(own.get(DIRECTORY, self.ml / "code")),
            "module_name": str(program).removesuffix(".py"),
            "num_cpus": self.cpus,
            "resource_config": dict(self.resources),
            "topology": self.resources.get("topology", []),
            "user_entry_point": program,
        }

    def _groups(self) -> Fields:
        groups: list[Fields] = self.resources.get("instance_groups", [])
        named = {group["instance_group_name"]: group for group in groups}
        current = self.resources.get("current_group_name", "homogeneousCluster")
        return {
            "current_instance_group": current,
            "current_instance_group_hosts": named.get(current, {}).get("hosts", []),
            "instance_groups": list(named),
            "instance_groups_dict": named,
            "is_hetero": len(named) > 1,
        }

    def _places(self) -> Fields:
        ml = self.ml
        channels = {name: str(ml / "input" / "data" / name) for name in self.channels}
        return {
            "channel_input_dirs": channels,
            "input_config_dir": str(ml / "input" / "config"),
            "input_dir": str(ml / "input"),
            "model_dir": str(ml / "model"),
            "output_data_dir": str(ml / "output" / "data"),
            "output_dir": str(ml / "output"),
            "output_intermediate_dir": str(ml / "output" / "intermediate"),
        }


_LISTED = (
    "hosts",
    "network_interface_name",
    "user_entry_point",
    "resource_config",
    "input_data_config",
    "output_data_dir",
    "current_host",
    "current_instance_type",
    "current_instance_group",
    "current_instance_group_hosts",
    "instance_groups",
    "instance_groups_dict",
    "distribution_instance_groups",
    "is_hetero",
    "module_name",
    "log_level",
    "framework_module",
    "input_dir",
    "input_config_dir",
    "output_dir",
    "num_cpus",
    "num_gpus",
    "num_neurons",
    "model_dir",
    "module_dir",
    "output_intermediate_dir",
)


def _argument(value: Any) -> str:
    if isinstance(value, dict):
        pairs = cast("dict[str, Any]", value)
        return ",".join(f"{key}={item}" for key, item in sorted(pairs.items()))
    return "" if value is None else str(value)


def _variable(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def unpack_code(
    container: Container, given: Any, isolated: bool, fetch: Callable[[Location, Path], Any]
) -> Path:
    """Put the code where the toolkit puts it, /opt/ml/code, and return that folder.

    Args:
        container: of the job.
        given: sagemaker_submit_directory: an S3 URL of a tar.gz, or a path below /opt/ml; None
            for code that lies in /opt/ml/code.
        isolated: whether the container has no network.
        fetch: downloads an object into a folder, as the job's role.

    Raises:
        JobFailed: as the toolkit fails.
    """
    code = container.ml / "code"
    code.mkdir(exist_ok=True)
    if given is None:
        return code
    source = str(given)
    if source.startswith("s3://"):
        if isolated:
            raise _failed(f"network isolation: {source} cannot be downloaded inside the container")
        location = Location.of(source)
        fetch(location, container.root / "tmp")
        archive = container.root / "tmp" / Path(location.key).name
    else:
        archive = Path(container.rewrite(source))
    if archive.is_dir():
        shutil.copytree(archive, code, dirs_exist_ok=True)
    else:
        _extract(archive, code)
    if (code / "requirements.txt").exists():
        raise _failed("the rehearsal installs nothing: the code holds a requirements.txt")
    return code


def _extract(archive: Path, code: Path) -> None:
    try:
        with tarfile.open(archive, "r:gz") as tar:
            tar.extractall(code, filter="data")
    except (OSError, tarfile.TarError) as error:
        raise _failed(f"{archive.name} cannot be unpacked: {error}") from error


def _failed(text: str) -> JobFailed:
    return JobFailed(f"AlgorithmError: framework error: {text}, exit code: 1")


def command(job: Job) -> list[str]:
    """What the image runs, in the folder of the code: `python3 -m <module> <options>`."""
    module = job.entry_point().removesuffix(".py")
    return [sys.executable, "-m", module, *job.arguments()]


def failure(words: list[str]) -> str:
    """What the toolkit writes to /opt/ml/output/failure, over whatever the script wrote."""
    return f'ExecuteUserScriptError:\nCommand "{" ".join(words)}"'

"""A job's folder and environment: what SageMaker's container contract promises a program.

Every job gets a folder of its own that stands for the container's file system; `/opt/ml` in entry
point, arguments and environment is rewritten to the folder below it. ("How Amazon SageMaker AI
Runs Your Training Image", "How Amazon SageMaker Processing Runs Your Processing Container Image",
Amazon SageMaker Developer Guide.) It is no sandbox: a job runs as the user and can open any file
that the user can.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

from rehearsal.sagemaker.context import Context

# Not in the middle of another path, so that what has been rewritten stays as it is.
OPT_ML = re.compile(r"(?<![A-Za-z0-9_./-])/opt/ml(?![A-Za-z0-9_.-])")
SAFE = re.compile(r"[A-Za-z0-9_./+@=:,-]+")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOST = "algo-1"
NETWORK_INTERFACE = "eth0"


class Container:
    """The folder of one job, and of one attempt at it.

    Args:
        base: SageMaker's folder in the server's run folder.
        kind: training, processing, …
        name: of the job.

    Attributes:
        root: stands for `/`.
        ml: stands for `/opt/ml`.
    """

    def __init__(self, base: Path, kind: str, name: str) -> None:
        self.root = base / kind / f"{name}-{uuid4().hex[:8]}"
        self.ml = self.root / "opt" / "ml"
        self.ml.mkdir(parents=True)
        for folder in ("tmp", "root"):
            (self.root / folder).mkdir()

    def path(self, inside: str) -> Path:
        """Where a path of the container really is.

        Raises:
            ValueError: it is not below /opt/ml, the only part of the container that is rewritten.
        """
        parts = Path(os.path.normpath(inside)).parts
        if parts[:3] != ("/", "opt", "ml"):
            raise ValueError(
                f"the path {inside!r} is not below /opt/ml, the only folder of a container that "
                "the rehearsal can put elsewhere"
            )
        return self.ml.joinpath(*parts[3:])

    def rewrite(self, text: str) -> str:
        """A text with /opt/ml put where it really is."""
        return OPT_ML.sub(lambda _: str(self.ml), text)

    def rewrite_all(self, texts: Sequence[str]) -> list[str]:
        """The same for several."""
        return [self.rewrite(text) for text in texts]

    def write_json(self, name: str, content: Any) -> None:
        """Write a file below /opt/ml."""
        place = self.ml / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(content), encoding="utf-8")

    def read_json(self, name: str) -> Any:
        """A file below /opt/ml that write_json made."""
        return json.loads((self.ml / name).read_text(encoding="utf-8"))

    def read_text(self, name: str, most: int = 1024) -> str:
        """The first characters of a file below /opt/ml, with the paths that the container had.

        Empty if there is none.
        """
        try:
            with (self.ml / name).open(encoding="utf-8", errors="replace") as opened:
                return opened.read(8 * most).replace(str(self.ml), "/opt/ml")[:most]
        except OSError:
            return ""

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """All that the job's process sees: the image's own variables, and `given` above them.

        Nothing of the host's but where its Python is.
        """
        own = {
            "PATH": f"{Path(sys.executable).parent}:{SYSTEM_PATH}",
            "LANG": "C.UTF-8",
            "HOME": str(self.root / "root"),
            "TMPDIR": str(self.root / "tmp"),
            "HOSTNAME": HOST,
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONIOENCODING": "utf-8",
            "PYTHONNOUSERSITE": "1",
            # Threads that spin while they wait make a training many times slower on a laptop.
            "OMP_WAIT_POLICY": "PASSIVE",
        }
        return own | {name: self.rewrite(value) for name, value in given.items()}

    def remove(self) -> None:
        """Delete the folder with all that is in it."""
        shutil.rmtree(self.root, ignore_errors=True)


def aws_variables(context: Context, role_arn: str, isolated: bool) -> dict[str, str]:
    """Region, and unless the job is isolated an endpoint and the role's credentials.

    On AWS the credentials come from a service beside the container; here they are variables.
    """
    place = {
        "AWS_REGION": context.region,
        "AWS_DEFAULT_REGION": context.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    if isolated:
        return place
    access, secret, token = context.credentials(role_arn)
    return place | {
        "AWS_ENDPOINT_URL": context.endpoint,
        "AWS_ACCESS_KEY_ID": access,
        "AWS_SECRET_ACCESS_KEY": secret,
        "AWS_SESSION_TOKEN": token or "",
        "NO_PROXY": "localhost,127.0.0.1",
    }


def resource_configuration(instance_type: str) -> dict[str, Any]:
    """resourceconfig.json of a cluster of one instance ("Distributed Training Configuration")."""
    group = {
        "instance_group_name": "homogeneousCluster",
        "instance_type": instance_type,
        "hosts": [HOST],
    }
    return {
        "current_host": HOST,
        "current_instance_type": instance_type,
        "current_group_name": "homogeneousCluster",
        "hosts": [HOST],
        "instance_groups": [group],
        "network_interface_name": NETWORK_INTERFACE,
    }


def check_folder(folder: Path) -> None:
    """Refuse a run folder whose path a shell would take apart: entry points are shell lines.

    Raises:
        ValueError: says which path, and what is allowed in it.
    """
    if not SAFE.fullmatch(str(folder)):
        raise ValueError(
            f"the rehearsal's folder is {str(folder)!r}; jobs' entry points run through a shell, "
            "so set TMPDIR to a path of letters, digits and ._/+@=:,- only"
        )

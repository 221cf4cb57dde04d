"""A second environment beside the demo's, for what would be in the other scenarios' way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from rehearsal.deploy import deploy
from rehearsal.errors import RehearsalError
from rehearsal.process import PROJECT
from rehearsal.scenarios.support.context import Context

FOLDER = PROJECT / "rehearsal" / "environments"


def deployed(context: Context, name: str) -> Context:
    """Synthesize and deploy an environment of rehearsal/environments; return its own context.

    Args:
        context: The demo's.
        name: The environment's.

    Raises:
        RehearsalError: it could not be synthesized or deployed.
    """
    with tempfile.TemporaryDirectory() as folder:
        context.say(f"synthesizing the environment {name}")
        _synthesize(FOLDER / f"{name}.yaml", Path(folder))
        context.say(f"deploying the environment {name}")
        found = deploy(context.aws, folder)
    outputs = {key: value for stack in found.values() for key, value in stack.items()}
    return replace(context, outputs=outputs)


def _synthesize(settings: Path, folder: Path) -> None:
    variables = {
        **os.environ,
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps({"environment": str(settings)}),
    }
    done = subprocess.run(
        [sys.executable, "app.py"], cwd=PROJECT, env=variables, capture_output=True, text=True
    )
    if done.returncode:
        raise RehearsalError(f"{settings.name} could not be synthesized: {done.stderr[-2000:]}")

"""The construct library as others get it: a wheel, in an app of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

CONSTRUCTS = Path(__file__).parents[2] / "constructs"

STRANGERS_APP = """
import sys
import aws_cdk as cdk
import sagelens
from sagelens import (
    AlarmTopic, EncryptionKey, ImageAnalysis, PlatformBus, ResultsTable, SecureBucket,
)

app = cdk.App(outdir=sys.argv[1])
stack = cdk.Stack(app, "Stranger")
key = EncryptionKey(stack, "Key")
ImageAnalysis(
    stack,
    "Analysis",
    bucket=SecureBucket(stack, "Images", encryption_key=key, event_notifications=True),
    prefix="incoming/",
    results=ResultsTable(stack, "Results", encryption_key=key),
    bus=PlatformBus(stack, "Bus", encryption_key=key, description="news"),
    encryption_key=key,
    alarm_topic=AlarmTopic(stack, "Alarms", encryption_key=key),
    environment_name="theirs",
    analyses={"moderation": {"minimum_confidence": 60}},
    policy={"moderation": {"*": {"accept": [0, 60], "reject": [60, 100]}}},
)
app.synth()
print(sagelens.__file__)
"""


def test_the_wheel_carries_the_functions_and_works_in_an_app_of_a_strangers(
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        CONSTRUCTS, source, symlinks=False, ignore=shutil.ignore_patterns("__pycache__")
    )
    built = tmp_path / "built"
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", str(built)]
    subprocess.run(build, cwd=source, check=True, capture_output=True)
    (wheel,) = built.glob("*.whl")
    installed = tmp_path / "installed"
    zipfile.ZipFile(wheel).extractall(installed)
    run = subprocess.run(
        [sys.executable, "-c", STRANGERS_APP, str(tmp_path / "out")],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        check=True,
        capture_output=True,
        text=True,
    )
    assert str(installed) in run.stdout
    handlers = list((tmp_path / "out").glob("asset.*/image_analysis/handler.py"))
    assert len(handlers) == 1

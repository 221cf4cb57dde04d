"""One embedded AWS for the tests of the platform, and one that the engine's own tests may reset."""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rehearsal.process import Rehearsal
from tests.rehearsal.full_picture import SEEN
from tests.rehearsal.listening import Tap, wait_for
from tests.rehearsal.platform import FULL, OPERATION, Platform, synthesize
from tests.rehearsal.school import School


@pytest.fixture(scope="session", autouse=True)
def run_folders_of_our_own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Another suite or demo on this machine neither sweeps our run folders nor has its own swept.

    By the variable, so that it holds for the processes that the tests start as well.
    """
    given = os.environ.get("TMPDIR")
    os.environ["TMPDIR"] = str(tmp_path_factory.mktemp("runs"))
    tempfile.tempdir = None
    yield
    if given is None:
        del os.environ["TMPDIR"]
    else:
        os.environ["TMPDIR"] = given
    tempfile.tempdir = None


@pytest.fixture(scope="session")
def aws(run_folders_of_our_own: None) -> Iterator[Rehearsal]:
    """The embedded AWS of the session. Nobody resets it: others have deployed onto it."""
    with Rehearsal.start() as running:
        yield running


@pytest.fixture(scope="session")
def _engine(run_folders_of_our_own: None) -> Iterator[Rehearsal]:
    with Rehearsal.start(samples=()) as running:
        yield running


@pytest.fixture
def engine(_engine: Rehearsal) -> Iterator[Rehearsal]:
    """An embedded AWS of the engine's own tests: empty at the start of each."""
    _engine.reset()
    yield _engine


@pytest.fixture(scope="session")
def picture() -> Callable[..., bytes]:
    """Makes an image: picture(seed, size=(100, 100), format="JPEG")."""

    def make(seed: int = 0, size: tuple[int, int] = (100, 100), format: str = "JPEG") -> bytes:
        content = io.BytesIO()
        image = Image.new("RGB", size, (seed % 256, seed // 256 % 256, 90))
        image.save(content, format, comment=str(seed).encode())  # JPEG alone would lose the seed
        return content.getvalue()

    return make


@pytest.fixture(scope="session")
def eventually() -> Callable[..., Any]:
    """Waits for something: eventually(lambda: value_or_none) -> the value."""
    return wait_for


@pytest.fixture(scope="session")
def role_with() -> Callable[..., str]:
    """Makes a role: role_with(aws, "name", [statement, …], path="/") -> its ARN."""

    def make(aws: Rehearsal, name: str, statements: list[dict[str, Any]], path: str = "/") -> str:
        principal = {"Service": "lambda.amazonaws.com", "AWS": "000000000000"}
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
        iam = aws.client("iam")
        role = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(trust))
        if statements:
            policy = {"Version": "2012-10-17", "Statement": statements}
            iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
        return role["Role"]["Arn"]

    return make


@pytest.fixture(scope="session")
def function_of() -> Callable[..., str]:
    """Makes a Lambda function of inline code: function_of(aws, "name", code, role_arn, **more)."""

    def make(aws: Rehearsal, name: str, code: str, role_arn: str, **more: Any) -> str:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("index.py", code)
        client = aws.client("lambda")
        function = client.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Handler="index.handler",
            Role=role_arn,
            Code={"ZipFile": content.getvalue()},
            **more,
        )
        client.get_waiter("function_active_v2").wait(
            FunctionName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 100}
        )
        return function["FunctionArn"]

    return make


@pytest.fixture(scope="session")
def customers() -> bytes:
    """A table of 1,000 customers for the churn scripts."""
    from ml_src.churn import generate

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        generate.main(["--rows", "1000", "--seed", "1", "--output", str(path)])
        return path.read_bytes()


@pytest.fixture(scope="session")
def deployed(aws: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The platform's own stacks on the session's embedded AWS."""
    return Platform.deploy(aws, synthesize(tmp_path_factory.mktemp("quick")))


@pytest.fixture(scope="session")
def school(aws: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> School:
    """The training stack on the session's embedded AWS, with customers to train on."""
    return School.deploy(aws, tmp_path_factory.mktemp("school"))


@pytest.fixture
def platform(deployed: Platform) -> Iterator[Platform]:
    """The platform with a healthy Rekognition, left with nothing to do."""
    deployed.aws.rekognition.clear()
    deployed.heard()
    yield deployed
    deployed.aws.rekognition.heal(OPERATION)
    deployed.aws.rekognition.latency(OPERATION, 0)
    deployed.aws.rekognition.quota(OPERATION, None)
    deployed.settle()


@pytest.fixture(scope="session")
def all_deployed(run_folders_of_our_own: None, tmp_path_factory: Any) -> Iterator[Platform]:
    """An environment with every analysis, on an embedded AWS of its own: its function would
    otherwise take what the other environment's tests script and count."""
    with Rehearsal.start() as aws:
        yield Platform.deploy(aws, synthesize(tmp_path_factory.mktemp("full"), FULL), "full")


@pytest.fixture
def full(all_deployed: Platform) -> Iterator[Platform]:
    """The environment with every analysis and a healthy Rekognition, left with nothing to do."""
    all_deployed.aws.rekognition.clear()
    all_deployed.heard()
    yield all_deployed
    for operation in SEEN:
        all_deployed.aws.rekognition.heal(operation)
    all_deployed.settle()


@pytest.fixture
def taps(platform: Platform) -> Iterator[tuple[Tap, Tap]]:
    """What S3 puts on the default bus, and what the platform's own rule lets through to its queue:
    the second is one more target of that rule."""
    events = platform.aws.client("events")
    (own,) = events.list_rules(NamePrefix="sagelens-quick-vision")["Rules"]
    bus, queued = Tap.make(platform.aws, "tap-bus"), Tap.make(platform.aws, "tap-queued")
    events.put_rule(Name="tap", EventPattern='{"source": ["aws.s3"]}')
    events.put_targets(Rule="tap", Targets=[{"Id": "tap", "Arn": bus.arn}])
    events.put_targets(Rule=own["Name"], Targets=[{"Id": "tap", "Arn": queued.arn}])
    yield bus, queued
    events.remove_targets(Rule=own["Name"], Ids=["tap"])
    events.remove_targets(Rule="tap", Ids=["tap"])
    events.delete_rule(Name="tap")
    for each in (bus, queued):
        each.sqs.delete_queue(QueueUrl=each.url)

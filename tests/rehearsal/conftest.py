"""One embedded AWS for the tests of the platform, and one that the engine's own tests may reset."""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from rehearsal.process import Rehearsal
from tests.rehearsal.platform import OPERATION, Platform, synthesize


@pytest.fixture(scope="session")
def aws() -> Iterator[Rehearsal]:
    """The embedded AWS of the session. Nobody resets it: others have deployed onto it."""
    with Rehearsal.start() as running:
        yield running


@pytest.fixture(scope="session")
def _engine() -> Iterator[Rehearsal]:
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
    """Waits for something: eventually(lambda: value_or_none, seconds=10) -> the value."""

    def wait(look: Callable[[], Any], seconds: float = 10.0, what: str = "it") -> Any:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = look()
            if found:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{what} did not happen within {seconds} s")

    return wait


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
def deployed(aws: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """The platform's own stacks on the session's embedded AWS."""
    return Platform.deploy(aws, synthesize(tmp_path_factory.mktemp("quick")))


@pytest.fixture
def platform(deployed: Platform) -> Iterator[Platform]:
    """The platform with a healthy Rekognition, left with nothing to do."""
    deployed.aws.rekognition.clear()
    list(deployed.heard())
    yield deployed
    deployed.aws.rekognition.heal(OPERATION)
    deployed.aws.rekognition.latency(OPERATION, 0)
    deployed.aws.rekognition.quota(OPERATION, None)
    deployed.settle()

"""False credentials and a Region for every test here: no call may leave this process."""

import pytest

from tests.unit.lambda_src.world import World


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "LOG_KEYS", "LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def world() -> World:
    return World()

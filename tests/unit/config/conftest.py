"""What the tests of the configuration share."""

from collections.abc import Callable
from pathlib import Path

import pytest

import config

Refused = Callable[[str | bytes], config.ConfigurationError]
RefusedOnce = Callable[..., None]


@pytest.fixture
def refused(tmp_path: Path) -> Refused:
    """Return a function that gives the error which a file with a text is refused with."""

    def load(text: str | bytes) -> config.ConfigurationError:
        path = tmp_path / "own.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(config.ConfigurationError) as caught:
            config.load(path)
        return caught.value

    return load


@pytest.fixture
def refused_once(refused: Refused) -> RefusedOnce:
    """Return a function that asserts a text's only error: its line, and words in it."""

    def check(text: str | bytes, line: str, *parts: str) -> None:
        error = refused(text)
        assert len(error.problems) == 1, str(error)
        assert f"own.yaml:{line}:" in str(error)
        for part in parts:
            assert part in str(error)

    return check

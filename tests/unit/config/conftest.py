"""What the tests of the configuration share."""

from collections.abc import Callable
from pathlib import Path

import pytest

import config

Refused = Callable[[str | bytes], config.ConfigurationError]


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

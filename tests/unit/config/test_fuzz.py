"""Whatever a file holds, loading it gives settings or a ConfigurationError, never anything else."""

import json
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import config
from config.loading import ENVIRONMENTS

PROD = (ENVIRONMENTS / "prod.yaml").read_text(encoding="utf-8")
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 1000),
    st.floats(0, 100),
    st.text(max_size=5),
    st.lists(st.integers(0, 100), max_size=3),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


@pytest.fixture(scope="module")
def file() -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        yield Path(folder) / "own.yaml"


def outcome(file: Path, content: bytes) -> config.EnvironmentSettings | config.ConfigurationError:
    """Return what comes of loading a file with this content."""
    file.write_bytes(content)
    try:
        return config.load(file)
    except config.ConfigurationError as error:
        assert error.problems
        assert all(problem.problem for problem in error.problems)
        return error


def paths(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value of the settings."""
    yield path
    if isinstance(data, dict | list):
        for key, item in data.items() if isinstance(data, dict) else enumerate(data):
            yield from paths(item, (*path, key))


@given(st.binary(max_size=60))
def test_any_bytes(file: Path, content: bytes) -> None:
    outcome(file, content)


@given(
    st.integers(0, len(PROD)), st.integers(0, 3), st.text("{}[]:,-*&!|>'\"#%@` \n\t0ax", max_size=3)
)
def test_a_slip_of_the_hand(file: Path, at: int, gone: int, typed: str) -> None:
    outcome(file, (PROD[:at] + typed + PROD[at + gone :]).encode())


@given(st.data())
def test_several_wrong_values(file: Path, data: st.DataObject) -> None:
    """The loader refuses what the models refuse, and names the field of each wrong value."""
    settings: Any = config.load("prod").model_dump(mode="json")
    settings["security"]["reviewers"] = [f"arn:aws:iam::123456789012:role/r{n}" for n in range(3)]
    settings["vision"]["policy"]["moderation"]["*"].pop("review")
    places = list(paths(settings))[1:]
    chosen = data.draw(st.lists(st.sampled_from(places), max_size=4, unique=True))
    for place in sorted(chosen, key=len, reverse=True):  # the inner before what holds them
        parent = settings
        for part in place[:-1]:
            parent = parent[part]
        parent[place[-1]] = data.draw(JUNK)
    result = outcome(file, json.dumps(settings, ensure_ascii=False).encode())
    try:
        config.EnvironmentSettings.model_validate(settings)
    except ValidationError:
        assert isinstance(result, config.ConfigurationError)
    else:
        assert isinstance(result, config.EnvironmentSettings)

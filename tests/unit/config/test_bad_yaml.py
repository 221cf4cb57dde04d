"""Files that are not the YAML they should be, and the words that answer them."""

from collections.abc import Callable

import pytest

import config

Refused = Callable[[str | bytes], config.ConfigurationError]


def named(text: str) -> str:
    """Return YAML with a right name in line 1, so that `text` begins in line 2."""
    return f"name: x\n{text}"


# Where YAML itself is the trouble: text, then what is reported.
CASES = {
    "duplicate key": (named("region: null\nregion: null"), ":3:1:", "given before, in line 2"),
    "duplicate key of a name": ("name: a\nname: b\n", ":2:1:", "given before, in line 1"),
    "octal": (named("log_retention_days: 030"), ":2:", "030", "write it in decimal"),
    "hexadecimal": (named("log_retention_days: 0x1e"), ":2:", "0x1e", "decimal"),
    "underscores": (named("log_retention_days: 3_0"), ":2:", "3_0", "decimal"),
    "minutes": (named("tags: {at: 12:30}"), ":2:", "12:30", '"12:30"'),
    "date": (named("tags: {since: 2026-11-01}"), ":2:", "a date", '"2026-11-01"'),
    "key is yes": (named("tags:\n  yes: b"), ":3:3:", "tags.yes:", "put it in quotes"),
    "off": (named("tags: {switch: off}"), ":2:", "off can be read as true or false"),
    "exponent": (named("vision: {record_days: 1e2}"), ":2:", "1e2", "decimal"),
    "endless number": (named(f"log_retention_days: {'9' * 5000}"), ":2:", "too long"),
    "merge key": (named("tags: {<<: {a: b}}"), ":2:", "merge keys are not supported"),
    "tag": (named("region: !include x"), ":2:", "the tag !include is not supported"),
    "python tag": (named("region: !!python/object:os.system x"), ":2:", "is not supported"),
    "tagged mapping": (named("tags: !!omap [a: b]"), ":2:", "is not supported"),
    "key is a number": (named("tags: {1: b}"), ":2:8:", 'tags."1": this key is not text'),
    "key is a list": (named("tags: {[a]: b}"), ":2:8:", "a list or mapping stands as a key"),
    "tab": ("name: x\nsecurity:\n\trole_path: /a/", ":3:1:", "indent with spaces"),
    "colon": ("name: x\nregion: a: b", ":2:", "a colon where no key can be"),
    "no colon": ("name: x\nregion\naccount: null", ":3:", "a colon"),
    "open quote": ('name: "x\nregion: null\n', ":1:7:", "never closed"),
    "open bracket": ("name: x\nalarm_emails: [a@b.c\nregion: null\n", "own.yaml:", "not closed"),
    "indentation": ("name: x\n  region: null\n", ":2:", "a colon where no key can be"),
    "bare star": ("name: x\nvision: {policy: {moderation: {*: {}}}}", ":2:", "put it in quotes"),
    "control character": (b"name: x\nregion: \x07", ":2:9:", "control character"),
    "two documents": ("name: x\n---\nname: y\n", ":2:1:", "more than one document"),
    "not UTF-8": (b"name: x\ntags: {a: caf\xe9}", ":2:14:", "not UTF-8", "0xe9"),
    "UTF-16": ("name: x".encode("utf-16"), ":1:1:", "not UTF-8"),
    "empty": ("", "own.yaml:", "the file is empty"),
    "only comments": ("# nothing\n", "own.yaml:", "the file is empty"),
    "a list": ("- name: x\n", ":1:1:", "holds a list"),
    "a word": ("dev\n", ":1:1:", "holds a single value"),
    "too deep": (f"name: x\ntags: {'[' * 60}{']' * 60}", ":2:", "deep in each other"),
    "far too deep": (f"name: x\ntags: {'[' * 3000}{']' * 3000}", "own.yaml", "deep in each other"),
    "too large": (f"name: x\n#{' ' * 300_000}", "own.yaml:", "larger than 256 KiB"),
    "endless alias": ("name: x\ntags: &a [*a]", ":2:", "deep in each other"),
    "aliases of aliases": (
        "name: x\na: &a [1,1,1,1,1,1,1,1,1,1]\n"
        + "\n".join(
            f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]"
            for a, b in zip("abcde", "bcdef", strict=True)
        ),
        "own.yaml:",
        "more than 10,000 values",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_wrong_yaml_is_one_error_in_plain_words(case: str, refused: Refused) -> None:
    text, *parts = CASES[case]
    error = refused(text)
    assert len(error.problems) == 1, str(error)
    for part in parts:
        assert part in str(error)
    assert "Traceback" not in str(error)
    assert len(str(error)) < 6000

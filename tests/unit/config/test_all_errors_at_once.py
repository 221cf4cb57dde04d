"""A file with many errors is answered with all of them, each once."""

from collections.abc import Callable

import config

Refused = Callable[[str | bytes], config.ConfigurationError]


def named(text: str) -> str:
    """Return YAML with a right name in line 1, so that `text` begins in line 2."""
    return f"name: x\n{text}"


def moderation(bands: str) -> str:
    """Return YAML whose line 2 gives these bands to every moderation label."""
    return named(f'vision: {{policy: {{moderation: {{"*": {bands}}}}}}}')


def test_every_error_is_listed_at_once_in_the_order_of_lines(refused: Refused) -> None:
    text = """\
name: Dev
acount: "123456789012"
protect_data: yes
alarm_emails: [nobody, a@b.c, a@b.c]
security: {role_path: sagelens}
network: {cidr: 10.0.0.1/16}
vision:
  analyses: {moderation: {minimum_confidence: 70}}
  function: {timeout_seconds: 1000}
  queue: {retention_days: 14}
  retry: {first_seconds: 5, first_seconds: 6}
  policy:
    moderation:
      "*": {accept: [0, 60], reject: [60, 100]}
      Alcohol: {accept: [0, 60], reject: [50, 100]}
  quotas: {DetectLabels: -1}
"""
    error = refused(text)
    found = [(one.line, ".".join(map(str, one.path))) for one in error.problems]
    assert found == [
        (1, "name"),
        (2, "acount"),
        (3, "protect_data"),
        (4, "alarm_emails.0"),
        (4, "alarm_emails.2"),
        (5, "security.role_path"),
        (6, "network.cidr"),
        (8, "vision.analyses.moderation.minimum_confidence"),
        (9, "vision.function.timeout_seconds"),
        (10, "vision.queue.dead_letter_retention_days"),
        (11, "vision.retry.first_seconds"),
        (15, "vision.policy.moderation.Alcohol.reject"),
        (16, "vision.quotas.DetectLabels"),
    ], str(error)
    assert "the configuration has 13 errors:" in str(error)


def test_an_error_is_not_repeated_by_the_rules_that_read_it(refused: Refused) -> None:
    """A bad band leaves a policy without "*" and a queue's bad days cannot be compared."""
    text = named(
        "vision:\n  queue: {retention_days: 20}\n"
        '  policy: {moderation: {"*": {accept: [0, 60], reject: [60, x]}}}\n'
    )
    paths = [one.path for one in refused(text).problems]
    assert paths == [
        ("vision", "queue", "retention_days"),
        ("vision", "policy", "moderation", "*", "reject", 1),
    ]


def test_a_long_value_is_shortened(refused: Refused) -> None:
    error = refused(f"name: {'a' * 5000}")
    assert max(map(len, str(error).splitlines())) < 200


def test_a_path_is_written_as_in_yaml(refused: Refused) -> None:
    error = refused(moderation("{reject: [50, 100]}"))
    assert 'vision.policy.moderation."*".reject: leaves a gap' in str(error)

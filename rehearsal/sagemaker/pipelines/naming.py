"""The names that Pipelines gives to what it creates."""

import secrets
import string

LOWER = string.ascii_lowercase + string.digits
MIXED = string.ascii_letters + string.digits
NAME_LENGTH = 20  # characters of a step's name that go into a job's name
TUNING_NAME_LENGTH = 8  # a tuning job's name has at most 32 characters
SUFFIX_LENGTH = 10


def execution_id() -> str:
    """Twelve small letters and digits, such as p4jn9xou8a8s."""
    return "".join(secrets.choice(LOWER) for _ in range(12))


def resource_name(execution: str, step: str) -> str:
    """The name of a step's job or model, such as pipelines-p4jn9xou8a8s-Train-xw869y8C4a.

    ("Events that Amazon SageMaker AI sends to Amazon EventBridge", SageMaker Developer Guide, shows
    the form.)
    """
    return f"pipelines-{execution}-{_short(step, NAME_LENGTH)}-{_suffix()}"


def tuning_name(execution: str, step: str) -> str:
    """The name of a step's tuning job, such as bqbpzw5k3d15-hptuning-U0H0Wl6oKU."""
    return f"{execution}-{_short(step, TUNING_NAME_LENGTH)}-{_suffix()}"


def session_name(execution: str, step: str) -> str:
    """The session by which a step assumes the pipeline's role; errors of IAM show it."""
    return f"sagemaker-pipeline-{execution}-{step[:NAME_LENGTH]}"


def _short(step: str, length: int) -> str:
    return step[:length].replace("_", "-")


def _suffix() -> str:
    return "".join(secrets.choice(MIXED) for _ in range(SUFFIX_LENGTH))

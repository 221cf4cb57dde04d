"""The one way by which a script ends with a reason, in the places where SageMaker reads it.

Training: `/opt/ml/output/failure`, of which DescribeTrainingJob gives the first 1,024 characters
as FailureReason ("How Amazon SageMaker Processes Training Output"). Processing:
`/opt/ml/output/message`, which DescribeProcessingJob gives as ExitMessage, also 1,024 characters
("How Amazon SageMaker Processing Configures Output For Your Processing Container").
"""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

LONGEST = 1024  # characters; SageMaker cuts off what follows
PROCESSING = "/opt/ml/output/message"
OPTION = "--failure-file"


class JobError(Exception):
    """A job cannot go on; the text is the reason: what, where, what was given, what is allowed."""


class Arguments(argparse.ArgumentParser):
    """A command line whose mistakes are reasons, and which always knows `--failure-file`."""

    def __init__(self, description: str | None, failure_file: str) -> None:
        """Take the script's description and where its reason goes unless the caller says."""
        super().__init__(description=description, allow_abbrev=False)
        self.add_argument(OPTION, default=failure_file, help="where to write why the job failed")

    def error(self, message: str) -> NoReturn:
        """Raise argparse's complaint as a `JobError` in place of ending the process."""
        raise JobError(f"arguments: {message}")


def training_place() -> str:
    """Say where a training job's reason goes: `failure` in the job's output folder."""
    return str(Path(os.environ.get("SM_OUTPUT_DIR", "/opt/ml/output")) / "failure")


def ending_with_reason(
    work: Callable[[Sequence[str]], None], argv: Sequence[str], failure_file: str
) -> int:
    """Do the work; should it fail, say why where SageMaker reads it.

    Args:
        work: the script's own function of its arguments.
        argv: the command line's arguments, without the program.
        failure_file: the reason's path, unless `argv` holds `--failure-file`. A folder that does
            not exist (outside SageMaker) is left alone.

    Returns:
        The process's exit code: 0, or 1 after a failure.
    """
    try:
        work(argv)
    except JobError as error:
        report(str(error), _place(argv, failure_file))
        return 1
    except Exception as error:
        traceback.print_exc()
        report(f"unexpected {type(error).__name__}: {error}", _place(argv, failure_file))
        return 1
    return 0


def report(reason: str, place: Path) -> None:
    """Print a reason as the last line of the log and write it to `place`, cut to 1,024 characters.

    The line is `error: <reason>`, on one line whatever the reason holds.
    """
    sys.stdout.flush()
    print(f"error: {' '.join(reason.split())}", file=sys.stderr, flush=True)
    if place.parent.is_dir():
        place.write_text(reason[:LONGEST], encoding="utf-8")


def _place(argv: Sequence[str], default: str) -> Path:
    """Find the reason's path even when the other arguments are wrong."""
    for index, word in enumerate(argv):
        if word == OPTION and index + 1 < len(argv):
            return Path(argv[index + 1])
        if word.startswith(f"{OPTION}="):
            return Path(word.partition("=")[2])
    return Path(default)

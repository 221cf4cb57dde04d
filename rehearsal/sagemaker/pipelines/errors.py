"""What goes wrong with a definition or in a step."""


class DefinitionError(ValueError):
    """A pipeline definition that the service does not take.

    Args:
        problems: each in words of its own, all that were found.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("Unable to parse pipeline definition. " + " ".join(problems))
        self.problems = problems


class UndefinedValueError(Exception):
    """An expression that has no value in this execution; the text says which and why."""


class StepError(Exception):
    """A step that failed.

    Args:
        reason: the step's FailureReason.
        kind: the exception type of retry policies (retries.py) that it counts as, if it does.
    """

    def __init__(self, reason: str, kind: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.kind = kind


class StepStopped(Exception):
    """A step whose work was stopped before its end."""

"""The analyses of one image, side by side."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import botocore  # pyright: ignore[reportMissingTypeStubs]

from image_analysis.analyses import Analysis, Answer, Call, Response
from image_analysis.custom_models import ARGUMENT, CustomModels, is_name
from image_analysis.pacing import Pacer
from image_analysis.planning import Plan, plan
from shared import errors
from shared.errors import ModelNotRunning, Refused, Unusable
from shared.s3_events import ObjectVersion

# As many as the clients have connections; threads start only when they are needed.
WORKERS = 40

# When several calls fail, the failure that settles most: an image that cannot be read stays
# unreadable, a short wait helps only where nothing else is wrong.
_GRAVITY = ("unusable", "gone", "denied", "ambiguous", "permanent", "waiting", "transient")

_INVALID = "InvalidParameterException"


@dataclass(frozen=True)
class Detection:
    """What came of the analyses of one image.

    answers: of each analysis whose calls all succeeded, by name. failure: why others did not,
    of several the gravest; None if there is an answer of each.
    """

    answers: Mapping[str, Answer]
    failure: Exception | None


@dataclass(frozen=True)
class Detector:
    """Calls Rekognition for the configured analyses, each operation at its own pace.

    models: the Custom Labels models that the configuration names.
    """

    rekognition: Any
    analyses: tuple[Analysis, ...]
    pacers: Mapping[str, Pacer]
    models: CustomModels = field(default_factory=CustomModels)

    def detect(
        self,
        version: ObjectVersion,
        seconds_left: Callable[[], float],
        known: Mapping[str, Answer] | None = None,
    ) -> Detection:
        """Return the answer of each analysis, by name, and what failed.

        seconds_left: how long the calls may wait for their turn. known: answers of an earlier
        try, which are not asked for again.
        """
        known = known or {}
        wanted = tuple(each for each in self.analyses if each.name not in known)
        chosen = plan(wanted)

        def attempt(call: Call) -> Response | Exception:
            try:
                return self._call(call, version, seconds_left)
            except Exception as error:
                return error

        found = _Found(chosen, _blamed(chosen.calls, _each(attempt, chosen.calls), bool(known)))
        answers = {each.name: found.read(each) for each in wanted}
        good = {name: each for name, each in answers.items() if isinstance(each, Answer)}
        failures = [each for each in answers.values() if isinstance(each, Exception)]
        gravest = min(failures, key=lambda each: _GRAVITY.index(errors.kind_of(each)), default=None)
        # In the order of the configuration, whichever try it was that brought an answer.
        complete = {**known, **good}
        ordered = {one.name: complete[one.name] for one in self.analyses if one.name in complete}
        return Detection(ordered, _settled(gravest))

    def calls(self) -> tuple[Call, ...]:
        """Return the calls that one image takes."""
        return plan(self.analyses).calls

    def _call(
        self, call: Call, version: ObjectVersion, seconds_left: Callable[[], float]
    ) -> Response:
        thing = {"Bucket": version.bucket, "Name": version.key, "Version": version.version_id}
        method = getattr(self.rekognition, method_name(call.operation))
        model = call.arguments.get(ARGUMENT)
        arguments = self.models.filled(call.arguments)
        self.pacers[call.operation].wait(seconds_left)
        try:
            response = method(Image={"S3Object": thing}, **arguments)
        except Exception as error:
            if errors.code_of(error) == "ResourceNotReadyException":
                raise ModelNotRunning(str(model), parks=is_name(str(model))) from error
            raise
        if model is None:
            return response
        self.models.note_use(model)
        # Which version it was, for the record: the configuration may name the model only.
        return {**response, ARGUMENT: arguments[ARGUMENT]}


@dataclass(frozen=True)
class _Found:
    """The responses and failures of a plan's calls."""

    plan: Plan
    results: Sequence[Response | Exception]

    def read(self, analysis: Analysis) -> Answer | Exception:
        """The analysis's answer, or the gravest failure among its calls."""
        used = [self.results[index] for index in self.plan.uses[analysis.name]]
        failures = [each for each in used if isinstance(each, Exception)]
        if failures:
            return min(failures, key=lambda each: _GRAVITY.index(errors.kind_of(each)))
        try:
            return analysis.parse([each for each in used if not isinstance(each, Exception)])
        except Exception as error:
            return error


def _blamed(
    calls: Sequence[Call], results: list[Response | Exception], was_read: bool
) -> list[Response | Exception]:
    """Tell arguments that are refused from an image that is: both are InvalidParameterException.

    Where another call reads the image, it is the arguments; otherwise every image would end as
    unusable because of a wrong filter.
    """
    was_read = was_read or any(not isinstance(each, Exception) for each in results)

    def blame(call: Call, result: Response | Exception) -> Response | Exception:
        invalid = isinstance(result, Exception) and errors.code_of(result) == _INVALID
        return Refused(call.operation) if invalid and was_read else result

    return [blame(call, result) for call, result in zip(calls, results, strict=True)]


def method_name(operation: str) -> str:
    """Return the name of the client's method for an operation, as botocore derives it."""
    known: Any = botocore
    return known.xform_name(operation)


def _each(
    attempt: Callable[[Call], Response | Exception], calls: tuple[Call, ...]
) -> list[Response | Exception]:
    if len(calls) <= 1:
        return [attempt(call) for call in calls]
    return list(_pool().map(attempt, calls))


def _settled(error: Exception | None) -> Exception | None:
    if error is None or errors.kind_of(error) != "unusable" or isinstance(error, Unusable):
        return error
    return Unusable("unreadable", f"Rekognition cannot read the image: {errors.code_of(error)}")


@cache
def _pool() -> ThreadPoolExecutor:
    # Not the pool of the messages: their threads wait for these.
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="analysis")

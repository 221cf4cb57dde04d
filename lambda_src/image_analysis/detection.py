"""The analyses of one image, side by side."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

import botocore  # pyright: ignore[reportMissingTypeStubs]

from image_analysis import errors
from image_analysis.analyses import Analysis, Answer
from image_analysis.errors import Unusable
from image_analysis.pacing import Pacer
from shared.s3_events import ObjectVersion

# As many as the clients have connections; threads start only when they are needed.
WORKERS = 40

# When several analyses fail, the failure that settles most: an image that cannot be read stays
# unreadable, a retry helps only where nothing else is wrong.
_GRAVITY = ("unusable", "gone", "denied", "ambiguous", "permanent", "transient")


@dataclass(frozen=True)
class Detector:
    """Calls Rekognition for the configured analyses, each operation at its own pace."""

    rekognition: Any
    analyses: tuple[Analysis, ...]
    pacers: Mapping[str, Pacer]

    def detect(
        self, version: ObjectVersion, seconds_left: Callable[[], float]
    ) -> dict[str, Answer]:
        """Return the answer of each analysis, by name.

        seconds_left: how long the calls may wait for their turn. Raises Unusable for an image
        that the service cannot read, OutOfTime, or botocore's error: of several the gravest.
        """

        def attempt(analysis: Analysis) -> Answer | Exception:
            try:
                return self._call(analysis, version, seconds_left)
            except Exception as error:
                return error

        results = list(_each(attempt, self.analyses))
        failures = [each for each in results if isinstance(each, Exception)]
        if failures:
            raise _settled(min(failures, key=lambda each: _GRAVITY.index(errors.kind_of(each))))
        answers = (each for each in results if isinstance(each, Answer))
        return {each.name: answer for each, answer in zip(self.analyses, answers, strict=True)}

    def _call(
        self, analysis: Analysis, version: ObjectVersion, seconds_left: Callable[[], float]
    ) -> Answer:
        thing = {"Bucket": version.bucket, "Name": version.key, "Version": version.version_id}
        call = getattr(self.rekognition, method_name(analysis.operation))
        self.pacers[analysis.operation].wait(seconds_left)
        return analysis.parse(call(Image={"S3Object": thing}, **analysis.arguments))


def method_name(operation: str) -> str:
    """Return the name of the client's method for an operation, as botocore derives it."""
    known: Any = botocore
    return known.xform_name(operation)


def _each(
    attempt: Callable[[Analysis], Answer | Exception], chosen: tuple[Analysis, ...]
) -> list[Answer | Exception]:
    if len(chosen) == 1:
        return [attempt(chosen[0])]
    return list(_pool().map(attempt, chosen))


def _settled(error: Exception) -> Exception:
    if errors.kind_of(error) != "unusable" or isinstance(error, Unusable):
        return error
    return Unusable("unreadable", f"Rekognition cannot read the image: {errors.code_of(error)}")


@cache
def _pool() -> ThreadPoolExecutor:
    # Not the pool of the messages: their threads wait for these.
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="analysis")

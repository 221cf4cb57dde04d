"""All result pages of a job, with an end."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from shared import errors
from shared.clock import Clock
from shared.errors import Transient
from video_analysis.analyses import Analysis, Answer
from video_analysis.jobs import method

# The greatest page there is ("GetLabelDetection", MaxResults).
PAGE = 1000
MOST_PAGES = 1000
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 10.0
# What must be left of the invocation for another page.
RESERVE_SECONDS = 30.0


@dataclass(frozen=True)
class Reading:
    """What a job's pages came to.

    cut: why there may be more than was read, empty where everything was. video: VideoMetadata.
    """

    answer: Answer
    cut: str
    video: Mapping[str, Any]


@dataclass(frozen=True)
class Pages:
    """Reads the pages of jobs.

    seconds_left: of the invocation. most: pages of one job at most.
    """

    rekognition: Any
    clock: Clock
    seconds_left: Callable[[], float]
    most: int = MOST_PAGES

    def read(self, analysis: Analysis, job_id: str) -> Reading:
        """Read a job that succeeded.

        Pages without an end are cut off: a token that comes again, or more than `most` pages.
        Raises Transient if the invocation ends before the pages do.
        """
        reader = analysis.reader()
        video: Mapping[str, Any] = {}
        cut = ""
        for page in self._pages(analysis, job_id):
            if isinstance(page, str):
                cut = page
                break
            video = video or _metadata(page)
            reader.take(page)
        return Reading(reader.answer(), cut, video)

    def _pages(self, analysis: Analysis, job_id: str) -> Iterator[Mapping[str, Any] | str]:
        get = method(self.rekognition, analysis.get)
        asked: dict[str, Any] = {"JobId": job_id, "MaxResults": PAGE, **analysis.wanted}
        seen: set[str] = set()
        for _ in range(self.most):
            page = self._patiently(get, asked)
            yield page
            token = page.get("NextToken")
            if not token:
                return
            if token in seen:
                yield "a result page leads back to an earlier one"
                return
            seen.add(token)
            asked = {**asked, "NextToken": token}
        yield f"there are more than {self.most:,} result pages"

    def _patiently(self, get: Callable[..., Any], asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """One page, asked for again while the service is busy."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                return get(**asked)
            except Exception as error:
                if errors.kind_of(error) != "transient":
                    raise
                if self.seconds_left() < RESERVE_SECONDS + pause:
                    code = errors.code_of(error)
                    raise Transient(f"no time is left to read the results ({code})") from None
            self.clock.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)


def _metadata(page: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Any = page.get("VideoMetadata") or {}
    # GetSegmentDetection answers with a list, at present of one element.
    return cast("list[Mapping[str, Any]]", found)[0] if isinstance(found, list) else found

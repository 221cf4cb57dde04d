"""Amazon Rekognition's stored-video operations: jobs whose answers are scripted.

`Start…` makes a job that is IN_PROGRESS for a while; `Get…` tells its status, then its results page
by page. What a job finds is scripted under the name of its `Get…` operation, by the SHA-256 of the
video, and thinned out by what `Start…` asked for (`video_thinning`).
"""

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, cast

from rehearsal import videos
from rehearsal.answers import AnswerBook, digest
from rehearsal.aws_json import Call, ServiceError
from rehearsal.video_thinning import aggregated, thin_video

# By the operation that starts a job: the one that gets its results, and the list in them.
OPERATIONS = {
    "StartCelebrityRecognition": ("GetCelebrityRecognition", "Celebrities"),
    "StartContentModeration": ("GetContentModeration", "ModerationLabels"),
    "StartFaceDetection": ("GetFaceDetection", "Faces"),
    "StartLabelDetection": ("GetLabelDetection", "Labels"),
    "StartSegmentDetection": ("GetSegmentDetection", "Segments"),
    "StartTextDetection": ("GetTextDetection", "TextDetections"),
}
MOST_RESULTS = 1000
JOBS_AT_ONCE = 20
JOB_SECONDS = 0.3

Fetch = Callable[[Call, dict[str, str]], bytes]
Refusal = Callable[[str, str], ServiceError]


@dataclass
class Job:
    """One job: what started it, when (monotonic seconds), what becomes of it and when."""

    id: str
    start: str
    given: Mapping[str, Any]
    key: str
    ends: float
    failure: str | None

    @property
    def running(self) -> bool:
        """Whether it is still at work."""
        return time.monotonic() < self.ends


@dataclass
class Levers:
    """What a test or the demo can set: how many jobs run at once, how long each takes, and the
    failures to come, by the operation that starts the job."""

    at_once: int = JOBS_AT_ONCE
    seconds: float = JOB_SECONDS
    failures: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


class StoredVideos:
    """The twelve operations of the six analyses.

    Args:
        answers: scripted by the names of the `Get…` operations.
        fetch: reads the video's object with the caller's permissions.
        unscripted: makes the refusal of a video that nobody has scripted.
    """

    def __init__(self, answers: AnswerBook, fetch: Fetch, unscripted: Refusal) -> None:
        self._answers = answers
        self._fetch = fetch
        self._unscripted = unscripted
        self._jobs: dict[str, Job] = {}
        self._tokens: dict[tuple[str, str], str] = {}
        self.levers = Levers()

    def clear(self) -> None:
        """Forget every job and what was set."""
        self._jobs.clear()
        self._tokens.clear()
        self.levers = Levers()

    def operations(self) -> dict[str, Callable[[Call], Awaitable[Mapping[str, Any]]]]:
        """What answers each operation."""
        return {
            **dict.fromkeys(OPERATIONS, self._start),
            **{get: self._get for get, _ in OPERATIONS.values()},
        }

    async def _start(self, call: Call) -> Mapping[str, Any]:
        token = call.parameters.get("ClientRequestToken")
        given = {name: each for name, each in call.parameters.items() if "Token" not in name}
        known = self._tokens.get((call.operation, token)) if token else None
        if known is not None:
            if self._jobs[known].given != given:
                raise ServiceError(
                    "IdempotentParameterMismatchException",
                    "A ClientRequestToken input parameter was reused with an operation, but at "
                    "least one of the other input parameters is different from the previous call "
                    "to the operation.",
                )
            return {"JobId": known}
        if sum(job.running for job in self._jobs.values()) >= self.levers.at_once:
            raise ServiceError(
                "LimitExceededException", "Open jobs limit reached: wait for a job to complete"
            )
        job = await self._make(call, given)
        self._jobs[job.id] = job
        if token:
            self._tokens[call.operation, token] = job.id
        return {"JobId": job.id}

    async def _make(self, call: Call, given: Mapping[str, Any]) -> Job:
        stored = cast("dict[str, str]", call.parameters["Video"].get("S3Object") or {})
        content = self._fetch(call, stored)
        videos.check_size(content)
        key = await asyncio.to_thread(digest, content)
        failure = videos.why_unreadable(content)
        get, _ = OPERATIONS[call.operation]
        if failure is None and self._answers.find(key, get) is None:
            raise self._unscripted(key, get)
        waiting = self.levers.failures.get(call.operation)
        if waiting:
            failure = waiting.pop(0)
        ends = time.monotonic() + self.levers.seconds
        return Job(token_hex(32), call.operation, given, key, ends, failure)

    async def _get(self, call: Call) -> Mapping[str, Any]:
        job = self._jobs.get(call.parameters["JobId"])
        if job is None or OPERATIONS[job.start][0] != call.operation:
            raise ServiceError("ResourceNotFoundException", "The job does not exist")
        about = {"JobId": job.id, "Video": job.given["Video"]}
        if job.running:
            return {**about, "JobStatus": "IN_PROGRESS"}
        if job.failure is not None:
            return {**about, "JobStatus": "FAILED", "StatusMessage": job.failure}
        return {**about, **self._page(job, call)}

    def _page(self, job: Job, call: Call) -> Mapping[str, Any]:
        get, items = OPERATIONS[job.start]
        scripted = self._answers.find(job.key, get)
        if scripted is None:
            raise self._unscripted(job.key, get)
        answer = aggregated(get, thin_video(job.start, scripted, job.given), call.parameters)
        found = cast("list[Any]", answer.get(items, []))
        most = min(int(call.parameters.get("MaxResults", MOST_RESULTS)), MOST_RESULTS)
        begin = _offset(call.parameters.get("NextToken"), job.id)
        page = {**answer, "JobStatus": "SUCCEEDED", items: found[begin : begin + most]}
        if begin + most < len(found):
            page["NextToken"] = _token(job.id, begin + most)
        return page


def _token(job: str, offset: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([job[:16], offset]).encode()).decode()


def _offset(token: str | None, job: str) -> int:
    if token is None:
        return 0
    try:
        whose, offset = json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        whose, offset = "", 0
    if whose != job[:16]:
        raise ServiceError("InvalidPaginationTokenException", "The pagination token is not valid")
    return int(offset)

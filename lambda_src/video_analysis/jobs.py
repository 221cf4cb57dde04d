"""The jobs of one video: started within the account's limit, and looked at until they end.

A job is started with a token made of what it is for, so that whoever asks again, after a crash or
in another execution, gets the same job and pays once. A job that failed is started once more, with
a token of its own.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import botocore  # pyright: ignore[reportMissingTypeStubs]

from shared import errors, objects
from shared.s3_events import ObjectVersion
from video_analysis.analyses import Analysis

# "Error handling" and each operation's errors, Amazon Rekognition API reference: too many jobs at
# once (20 in an account and Region by default), or too many calls a second.
_FULL = frozenset(
    (
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "ThrottledException",
        "ThrottlingException",
    )
)
# What no other try mends: the file is at fault, or the configuration's arguments.
_REFUSED = {
    "VideoTooLargeException": "too_large",
    "InvalidParameterException": "refused",
    "ValidationException": "refused",
}
MOST_TRIES = 2
# What a record keeps of the reason that the service gives.
MOST_LETTERS = 300

Status = Literal["waiting", "running", "done", "failed"]


@dataclass(frozen=True)
class Job:
    """One analysis of one video.

    tries: how often it was started, 0 or more. code, message: why it failed.
    """

    status: Status = "waiting"
    id: str = ""
    tries: int = 0
    code: str = ""
    message: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.status in ("done", "failed")


Jobs = dict[str, Job]


def read(state: Mapping[str, Mapping[str, Any]]) -> Jobs:
    """Return the jobs that a state of the state machine holds, by analysis."""
    return {name: Job(**job) for name, job in state.items()}


def written(jobs: Jobs) -> dict[str, dict[str, Any]]:
    """Return the jobs as a state of the state machine holds them."""
    return {name: asdict(job) for name, job in jobs.items()}


def method(client: Any, operation: str) -> Callable[..., Any]:
    """Return the client's method for an operation, by its name as botocore derives it."""
    known: Any = botocore
    return getattr(client, known.xform_name(operation))


@dataclass(frozen=True)
class Desk:
    """Starts and looks at the jobs of one video.

    attempt: number of the claim on the video, which makes a second try's token unlike all others.
    """

    rekognition: Any
    s3: Any
    version: ObjectVersion
    attempt: int

    def advance(self, analyses: tuple[Analysis, ...], jobs: Jobs) -> Jobs:
        """Return the jobs after starting what can be started and looking at what runs.

        Raises Unusable if the video is gone, Denied, Transient.
        """
        after: Jobs = {}
        full = False
        for each in analyses:
            job = jobs.get(each.name, Job())
            if job.status == "running":
                job = self._look(each, job)
            if job.status == "waiting" and not full:
                # The limit is the account's: after one refusal the others would be refused too.
                job = self._start(each, job)
                full = job.status == "waiting"
            after[each.name] = job
        return after

    def _start(self, analysis: Analysis, job: Job) -> Job:
        tries = job.tries + 1
        video = {
            "Bucket": self.version.bucket,
            "Name": self.version.key,
            "Version": self.version.version_id,
        }
        try:
            answer = method(self.rekognition, analysis.start)(
                Video={"S3Object": video},
                ClientRequestToken=self._token(analysis, tries),
                **analysis.arguments,
            )
        except Exception as error:
            return self._not_started(job, error)
        return Job("running", str(answer["JobId"]), tries)

    def _not_started(self, job: Job, error: Exception) -> Job:
        code = errors.code_of(error)
        if code in _FULL:
            return job
        if code in _REFUSED:
            return _failed(job, _REFUSED[code], f"the job cannot be started: {code}")
        if errors.kind_of(error) == "ambiguous":
            raise objects.why_not_fetched(self.s3, self.version) from error
        raise error

    def _look(self, analysis: Analysis, job: Job) -> Job:
        try:
            # One result at most: this is about the status.
            answer = method(self.rekognition, analysis.get)(
                JobId=job.id, MaxResults=1, **analysis.wanted
            )
        except Exception as error:
            code = errors.code_of(error)
            if code in _FULL:
                return job  # the next look is soon
            if code != "ResourceNotFoundException":
                raise
            # Results are kept for 7 days ("Calling Amazon Rekognition Video operations").
            return self._again(_failed(job, "results_gone", "the job is not known any more"))
        status = answer["JobStatus"]
        if status == "SUCCEEDED":
            return replace(job, status="done")
        if status == "FAILED":
            message = str(answer.get("StatusMessage") or "the service gives no reason")
            return self._again(_failed(job, "job_failed", message))
        return job

    def _again(self, job: Job) -> Job:
        return replace(job, status="waiting") if job.tries < MOST_TRIES else job

    def _token(self, analysis: Analysis, tries: int) -> str:
        """64 hex digits, as long as a token may be; the same for the same job."""
        parts = [
            self.version.uri,
            self.version.version_id,
            analysis.start,
            analysis.arguments,
            self.attempt if tries > 1 else 0,
            tries,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _failed(job: Job, code: str, message: str) -> Job:
    return replace(job, status="failed", code=code, message=message[:MOST_LETTERS])

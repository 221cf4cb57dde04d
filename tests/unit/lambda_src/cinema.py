"""A small world of videos: jobs of Rekognition in memory, in the world of the images' tests."""

from __future__ import annotations

import json
from typing import Any

from shared.dynamodb import Fields
from shared.s3_events import ObjectVersion
from tests.unit.lambda_src.videos import METADATA, moderation, mp4
from tests.unit.lambda_src.world import World, check, error, model
from video_analysis import handler, settings
from video_analysis.flow import Step

OTHERS = {"GetTextDetection": {"JobStatus": "SUCCEEDED", "VideoMetadata": METADATA}}
SETTINGS: dict[str, Any] = {
    "analyses": {
        "moderation": {"minimum_confidence": 40},
        "text": {"minimum_confidence": 80, "store": "counts"},
    },
    "policy": {
        "moderation": {"*": {"accept": [0, 60], "review": [60, 90], "reject": [90, 100]}},
        "text": {"*": {"accept": [0, 100]}},
    },
    "polling": {"first": 30, "most": 300},
}


class Cinema(World):
    """Jobs run for `runs` looks; at most `at_once` at a time."""

    def __init__(self, chosen: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.read = settings.read(variables(chosen))
        self.video_flow = handler.make_flow(self.read, self.clients, self.clock)
        self.jobs: dict[str, dict[str, Any]] = {}
        self.at_once, self.runs, self.failing = 20, 1, dict[str, int]()
        self.pages: dict[str, list[dict[str, Any]]] = {
            "GetContentModeration": [moderation()],
            **{name: [page] for name, page in OTHERS.items()},
        }

    def film(self, data: bytes | None = None, key: str = "videos/a.mp4") -> ObjectVersion:
        return self.put(key, data=mp4() if data is None else data)

    def event(self, version: ObjectVersion) -> dict[str, Any]:
        thing = {"key": version.key, "version-id": version.version_id, "sequencer": "01", "size": 9}
        detail = {"bucket": {"name": version.bucket}, "object": thing}
        return {"source": "aws.s3", "detail-type": "Object Created", "detail": detail}

    def play(self, version: ObjectVersion, owner: str = "x:1", looks: int = 60) -> Step:
        """Run the state machine to its end, or for so many looks; steps that are cut off come
        again."""
        came = self.step({"step": "begin", "event": self.event(version)}, owner)
        while came.state["next"] != "end" and looks:
            looks -= 1
            if came.state["next"] == "wait":
                self.now += came.state["seconds"]
            step = "finish" if came.state["next"] == "finish" else "look"
            # What passes between two steps is JSON.
            came = self.step({"step": step, "state": json.loads(json.dumps(came.state))}, owner)
        return came

    def step(self, event: dict[str, Any], owner: str) -> Step:
        return handler.run(self.video_flow, event, owner, lambda: 900.0)

    def look(self, operation: str, **arguments: Any) -> dict[str, Any]:
        if operation.startswith("Start"):
            answer = self._start(operation, **arguments)
        else:
            answer = self._get(operation, **arguments)
        check(model("rekognition").operation_model(operation).output_shape, answer)
        return answer

    def _start(self, operation: str, ClientRequestToken: str, **given: Any) -> dict[str, Any]:
        thing = given["Video"]["S3Object"]
        stored = self.objects.get((thing["Name"], thing["Version"]))
        if stored is None or stored.quarantined:
            raise error("InvalidS3ObjectException", operation)
        if ClientRequestToken not in self.jobs:
            if sum(job["left"] > 0 for job in self.jobs.values()) >= self.at_once:
                raise error("LimitExceededException", operation)
            failed = self.failing.get(operation, 0) > 0
            self.failing[operation] = self.failing.get(operation, 0) - 1
            self.jobs[ClientRequestToken] = {
                "left": self.runs, "failed": failed, "given": given, "operation": operation
            }  # fmt: skip
        assert self.jobs[ClientRequestToken]["given"] == given
        return {"JobId": ClientRequestToken}

    def _get(
        self, operation: str, JobId: str, MaxResults: int, NextToken: str = "", **more: Any
    ) -> dict[str, Any]:
        job = self.jobs[JobId]
        if job["left"] > 0:
            job["left"] -= 1
            return {"JobStatus": "IN_PROGRESS"}
        if job["failed"]:
            return {"JobStatus": "FAILED", "StatusMessage": "an internal error"}
        return self.pages[operation][int(NextToken or 0)]

    def video(self, version: ObjectVersion) -> Fields:
        return self.record(version)

    def started(self) -> list[str]:
        return sorted(job["operation"] for job in self.jobs.values())


def variables(chosen: dict[str, Any] | None = None) -> dict[str, str]:
    return {
        "RESULTS_TABLE": "results",
        "EVENT_BUS": "platform",
        "RESULTS_BUCKET": "data",
        "ENVIRONMENT": "dev",
        "RECORD_DAYS": "365",
        "SETTINGS": json.dumps(chosen or SETTINGS),
    }

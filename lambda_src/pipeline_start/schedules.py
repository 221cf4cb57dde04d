"""One-time schedules that start the pipeline.

"Schedule types on EventBridge Scheduler": a schedule fires within the minute that it names, and
one in the past cannot be made; so each lies a minute ahead of whatever asks for it.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

from pipeline_start.requests import Request
from pipeline_start.settings import Settings
from shared.clock import Clock
from shared.errors import code_of

AHEAD_SECONDS = 60
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")


@dataclass
class Schedules:
    """The schedules of one start; safe to share between threads.

    client: the client of EventBridge Scheduler. made: the last schedule that was there for sure,
    so that ten thousand files of one interval do not each ask for it again.
    """

    client: Any
    settings: Settings
    clock: Clock
    made: str = ""

    def ask(self, request: Request) -> bool:
        """See to it that the pipeline is started; return False if that was so already."""
        if self.settings.mode == "data":
            return self._at_the_end_of_the_interval(request.reason)
        return self._at_once_but_not_again(request)

    def _at_the_end_of_the_interval(self, reason: str) -> bool:
        # By the clock, not by the event's time: an event that comes late counts for the present
        # interval, whose run is still to come and will see its file.
        number = int(self.clock.time()) // self.settings.seconds
        name = f"{self.settings.schedule}-{number}"
        if name == self.made:
            return False
        moment = (number + 1) * self.settings.seconds + AHEAD_SECONDS
        fresh = self._create(name, moment, reason, after="DELETE")
        self.made = name
        return fresh

    def _at_once_but_not_again(self, request: Request) -> bool:
        name, now, reason = self.settings.schedule, self.clock.time(), request.reason
        last = self._moment_of(name)
        if last is None:
            return self._create(name, now + AHEAD_SECONDS, reason, after="NONE")
        if now < last + self.settings.seconds and not (request.failed_before and last <= now):
            return False
        self.client.update_schedule(
            **self._schedule(name, now + AHEAD_SECONDS, reason, after="NONE")
        )
        return True

    def _create(self, name: str, moment: float, reason: str, after: str) -> bool:
        try:
            self.client.create_schedule(**self._schedule(name, moment, reason, after))
        except ClientError as error:
            if code_of(error) != "ConflictException":
                raise
            return False
        return True

    def _moment_of(self, name: str) -> float | None:
        """Return when a schedule fires or fired; None if there is none."""
        try:
            found = self.client.get_schedule(Name=name, GroupName=self.settings.group)
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            return None
        stamp = _AT.fullmatch(found["ScheduleExpression"])
        if stamp is None:
            raise ValueError(f"the schedule {name} is none of ours: it is no one-time schedule")
        return datetime.fromisoformat(stamp[1]).replace(tzinfo=UTC).timestamp()

    def _schedule(self, name: str, moment: float, reason: str, after: str) -> dict[str, Any]:
        stamp = datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%S")
        # Scheduler delivers at least once; the same token starts no second execution
        # ("StartPipelineExecution", ClientRequestToken).
        token = hashlib.sha256(f"{name}/{stamp}".encode()).hexdigest()
        start = {
            "PipelineName": self.settings.pipeline,
            "PipelineExecutionDescription": f"Started by {reason}",
            "ClientRequestToken": token,
        }
        return {
            "Name": name,
            "GroupName": self.settings.group,
            "Description": f"Starts {self.settings.pipeline}: {reason}",
            "ScheduleExpression": f"at({stamp})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": after,
            "KmsKeyArn": self.settings.key,
            "Target": {
                "Arn": self.settings.target,
                "RoleArn": self.settings.role,
                "Input": json.dumps(start),
                "DeadLetterConfig": {"Arn": self.settings.dead_letters},
            },
        }

"""One video from its event to an announced record, in the steps of a state machine.

    begin → look → wait → look → … → finish

begin   claims the version and looks at the file's first bytes
look    starts the jobs that can be started, looks at those that run, holds on to the claim
finish  reads all results, judges them by time, writes them to S3, quarantines, records, announces

Each step may be cut off or come twice. The claim is a lease that each look renews: while an
execution is at a video another one ends at once, and when one is stopped another may go on.
"""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from shared import results, s3_events
from shared.clock import Clock
from shared.conclusion import Conclusion, result
from shared.dynamodb import Fields
from shared.errors import Unusable
from shared.records import Claim, Records, version_key
from shared.s3_events import ObjectVersion
from video_analysis import gate, jobs, timeline
from video_analysis.jobs import Desk, Job, Jobs
from video_analysis.reading import Pages, Reading
from video_analysis.settings import Settings
from video_analysis.timeline import MOST_PIECES

State = dict[str, Any]
"""What goes from step to step: `next` (look, wait, finish or end), `outcome` where it ends,
`seconds` to wait, `video`, `attempt`, `since` (epoch seconds), `file` and `jobs`."""

# Twice the longest wait, and what a look may take with its retries.
LEASE_SECONDS = 1_800
SCHEMA = "1"
_EVENT = ("bucket", "key", "version_id", "sequencer", "size", "etag", "created_at")


@dataclass(frozen=True)
class Step:
    """What a step came to: the state for the next one, and the record where there is one.

    waiting: the analyses whose job could not be started yet. age: seconds since the first step.
    minutes: of video that the service has looked at, each analysis counted.
    """

    state: State
    record: Fields | None = None
    waiting: tuple[str, ...] = ()
    age: float = 0.0
    minutes: float = 0.0


@dataclass(frozen=True)
class Flow:
    """Takes videos through the steps; one is made for an execution environment."""

    s3: Any
    rekognition: Any
    records: Records
    conclusion: Conclusion
    settings: Settings
    clock: Clock

    def begin(self, event: Mapping[str, Any], owner: str) -> Step:
        """Claim the version that an event tells of; owner: the execution.

        Raises Malformed if it is no such event, Denied, Transient.
        """
        version = s3_events.read(event)
        claim = self._claim(version, owner)
        if claim.state == "busy":
            return Step({"next": "end", "outcome": "busy"})
        if claim.state == "done":
            return self._announced(claim.record, "repeated")
        if self.conclusion.noted(version, claim.record) is not None:
            return Step(self._state(version, claim.record, {}, "finish"))
        try:
            video = gate.read(self.s3, version)
            gate.check(video)
        except Unusable as error:
            return self._unusable(version, claim.record, owner, error)
        except Exception as error:
            found = self.conclusion.why_unreadable(version, error)
            return self._conclude(version, claim.record, owner, self._dated(found))
        return Step(self._state(version, claim.record, video.fields(), "look"))

    def look(self, state: State, owner: str) -> Step:
        """Start and look at the video's jobs; raises Denied, Transient."""
        version = ObjectVersion(**state["video"])
        if not self._hold(version, owner):
            return Step({"next": "end", "outcome": "lost"})
        desk = Desk(self.rekognition, self.s3, version, int(state["attempt"]))
        try:
            known = desk.advance(self.settings.analyses, jobs.read(state["jobs"]))
        except Unusable as error:
            return self._unusable(version, self._claim(version, owner).record, owner, error)
        done = all(job.ended for job in known.values())
        waiting = [name for name, job in known.items() if job.status == "waiting"]
        after = {
            **state,
            "next": "finish" if done else "wait",
            "seconds": self.settings.polling.seconds(self._age(state)),
            "jobs": jobs.written(known),
        }
        return Step(after, waiting=tuple(waiting), age=self._age(state))

    def finish(self, state: State, owner: str, pages: Pages) -> Step:
        """Judge the results, record and announce; raises Denied, Transient."""
        version = ObjectVersion(**state["video"])
        self._hold(version, owner)
        claim = self._claim(version, owner)
        if claim.state == "busy":
            return Step({"next": "end", "outcome": "lost"})
        if claim.state == "done":
            return self._announced(claim.record, "analysed")
        record = claim.record
        verdict = self.conclusion.noted(version, record)
        if verdict is None:
            verdict = self._judge(record, jobs.read(state["jobs"]), pages) | state["file"]
        return self._conclude(version, record, owner, verdict)

    def _hold(self, version: ObjectVersion, owner: str) -> bool:
        """Renew the claim; False if it has passed to another, or the record is finished."""
        record: Fields = {"pk": version.uri, "sk": version_key(version.version_id)}
        return self.records.renew(record, owner, self.clock.time() + LEASE_SECONDS)

    def _age(self, state: State) -> float:
        return self.clock.time() - float(state["since"])

    def _claim(self, version: ObjectVersion, owner: str) -> Claim:
        now, settings = self.clock.time(), self.settings.fingerprint
        return self.records.claim(version, owner, settings, now, LEASE_SECONDS)

    def _state(self, version: ObjectVersion, record: Fields, file: Fields, then: str) -> State:
        return {
            "next": then,
            "seconds": 0,
            "video": {name: getattr(version, name) for name in _EVENT},
            "attempt": int(record.get("attempts", 1)),
            "since": round(self.clock.time(), 3),
            "file": file,
            "jobs": {},
        }

    def _judge(self, record: Fields, known: Jobs, pages: Pages) -> Fields:
        """The verdict on what the jobs that succeeded found."""
        chosen = [each for each in self.settings.analyses if known[each.name].status == "done"]
        failed = {name: job for name, job in known.items() if job.status == "failed"}
        if not chosen:
            return self._dated(result("unusable", [_why(*each) for each in failed.items()]))
        with ThreadPoolExecutor(len(chosen)) as pool:
            ids = [known[each.name].id for each in chosen]
            readings = dict(
                zip((each.name for each in chosen), pool.map(pages.read, chosen, ids), strict=True)
            )
        return self._verdict(record, readings, failed)

    def _verdict(
        self, record: Fields, readings: Mapping[str, Reading], failed: Mapping[str, Job]
    ) -> Fields:
        metadata = next((each.video for each in readings.values() if each.video), None)
        video = _video(metadata or {})
        found = {name: each.answer.sightings for name, each in readings.items()}
        decided = timeline.decide(found, self.settings.policy, video.get("duration_ms") or 0)
        gaps = [_why(*each) for each in failed.items()]
        gaps += [_cut(name, each.cut) for name, each in readings.items() if each.cut]
        # What nobody has looked at is not accepted.
        asks = decided.decision == "accept" and bool(gaps)
        verdict = self._dated(
            {
                "decision": "review" if asks else decided.decision,
                "reasons": [*gaps, *decided.reasons],
                "analyses": {
                    **{name: each.answer.fields for name, each in readings.items()},
                    **{name: {"failed": job.code} for name, job in failed.items()},
                },
                "video": video,
            }
        )
        place = self._write(record, verdict, decided.timeline, readings)
        return {**verdict, "timeline": list(decided.timeline[:MOST_PIECES]), "results": place}

    def _write(
        self,
        record: Fields,
        verdict: Fields,
        pieces: tuple[Fields, ...],
        readings: Mapping[str, Reading],
    ) -> dict[str, str]:
        """Write one JSON document of everything that was found; return its place."""
        key = results.key_of(record["pk"], record["version_id"], verdict["settings"])
        place = {"bucket": self.settings.results_bucket, "key": key}
        document = {
            "schema": SCHEMA,
            "version_id": record["version_id"],
            **{name: verdict[name] for name in ("decision", "reasons", "video", "settings")},
            "analysed_at": verdict["analysed_at"],
            "timeline": pieces,
            "analyses": {
                name: {
                    **each.answer.fields,
                    "details": each.answer.details.kept,
                    "details_left_out": each.answer.details.count - len(each.answer.details.kept),
                }
                for name, each in readings.items()
            },
        }
        results.write(self.s3, place, document)
        return place

    def _dated(self, found: Fields) -> Fields:
        return {
            **found,
            "settings": self.settings.fingerprint,
            "analysed_at": self.clock.iso(),
            "quarantined": False,
        }

    def _unusable(
        self, version: ObjectVersion, record: Fields, owner: str, error: Unusable
    ) -> Step:
        reason = {"code": error.code, "message": error.message}
        return self._conclude(version, record, owner, self._dated(result("unusable", [reason])))

    def _conclude(
        self, version: ObjectVersion, record: Fields, owner: str, verdict: Fields
    ) -> Step:
        if verdict["decision"] == "reject":
            verdict = self.conclusion.quarantine(version, record, owner, verdict)
        return self._announced(self.records.complete(record, owner, verdict), "analysed")

    def _announced(self, record: Fields, outcome: str) -> Step:
        if not self.conclusion.announce(record):
            outcome = "repeated"
        video: Fields = record.get("video") or {}
        minutes = float(video.get("duration_ms") or 0) / 60_000
        looked = [each for each in record["analyses"].values() if "failed" not in each]
        return Step({"next": "end", "outcome": outcome}, record, minutes=minutes * len(looked))


def _why(name: str, job: Job) -> Fields:
    return {"code": job.code, "analysis": name, "message": f"{name}: {job.message}"}


def _cut(name: str, why: str) -> Fields:
    return {"code": "results_cut", "analysis": name, "message": f"{name}: {why}"}


def _video(metadata: Mapping[str, Any]) -> Fields:
    """What the service says of the video ("VideoMetadata", Amazon Rekognition API reference)."""
    names = {
        "Codec": "codec",
        "Format": "format",
        "DurationMillis": "duration_ms",
        "FrameRate": "frame_rate",
        "FrameWidth": "width",
        "FrameHeight": "height",
    }
    return {ours: metadata[name] for name, ours in names.items() if name in metadata}

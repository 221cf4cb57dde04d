"""One object version from claim to announcement.

Each step may be cut off or come twice, so each is either conditional or harmless to repeat:

    claim → read → analyse → [note verdict → tag] → record done → current → event → announced

Where some analyses of an image fail and others do not, the answers that there are stay in the
record, and the next try asks for the others only.

What a second delivery finds, and does: a live lease: comes back later; an ended lease: starts
again, or from the noted verdict; a finished record that was not announced: goes on from
`current`; an announced one: nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from image_analysis import errors, gate, partial, policy, quarantine
from image_analysis.detection import Detection, Detector
from image_analysis.errors import Busy, Transient, Unusable
from image_analysis.overflow import Overflow
from image_analysis.policy import Policy
from image_analysis.records import Claim, Records
from shared import events
from shared.clock import Clock
from shared.dynamodb import Fields
from shared.s3_events import ObjectVersion

# Added to what is left of the invocation: clocks of two environments may differ a little. The
# queue hides a message for six times the time-out, 18 s at least, so a lease ends before that.
LEASE_MARGIN_SECONDS = 5


@dataclass(frozen=True)
class Attempt:
    """One try at one message.

    owner: unique to the try. remaining: seconds until the invocation is cut off. spare: seconds
    that the try may spend waiting and still finish.
    """

    owner: str
    remaining: Callable[[], float]
    spare: Callable[[], float]


@dataclass(frozen=True)
class Outcome:
    """What a try came to: "analysed", "announced" (it was analysed before) or "repeated"
    (nothing was left to do), with the record."""

    kind: Literal["analysed", "announced", "repeated"]
    record: Fields


@dataclass(frozen=True)
class Flow:
    """Takes object versions through the steps; one is made for an execution environment.

    settings: fingerprint of analyses and policy. bus: name of the event bus.
    """

    s3: Any
    events: Any
    detector: Detector
    records: Records
    overflow: Overflow
    policy: Policy
    settings: str
    bus: str
    clock: Clock

    def run(self, version: ObjectVersion, attempt: Attempt) -> Outcome:
        """Bring `version` to an announced record, as far as that is still to be done.

        Raises Busy while another try is at it, and whatever stopped this one: every such
        failure leaves the version free for the next try.
        """
        try:
            claim = self._claim(version, attempt)
            if claim.state == "mine":
                record = self._work(version, claim.record, attempt)
                return self._finish(record, "analysed")
        except Exception:
            self._release(version, attempt)
            raise
        if claim.state == "busy":
            raise Busy(float(claim.record.get("lease_until", 0)) - self.clock.time())
        return self._finish(claim.record, "announced")

    def _claim(self, version: ObjectVersion, attempt: Attempt) -> Claim:
        lease = attempt.remaining() + LEASE_MARGIN_SECONDS
        return self.records.claim(version, attempt.owner, self.settings, self.clock.time(), lease)

    def _work(self, version: ObjectVersion, record: Fields, attempt: Attempt) -> Fields:
        started = self.clock.monotonic()
        verdict = self._noted(version, record)
        if verdict is None:
            verdict = self.overflow.fit(record, self._judge(version, record, attempt))
        if verdict["decision"] == "reject":
            verdict = self._quarantine(version, record, attempt, verdict)
        spent = round((self.clock.monotonic() - started) * 1000)
        return self.records.complete(record, attempt.owner, {**verdict, "duration_ms": spent})

    def _noted(self, version: ObjectVersion, record: Fields) -> Fields | None:
        """The verdict of an earlier try that stopped around its quarantine.

        One of other settings counts only if its tag is on already: then the version cannot be
        read again, and only a person lifts a quarantine.
        """
        noted: Fields | None = record.get("pending")
        if noted is None or noted["settings"] == self.settings:
            return noted
        return noted if quarantine.is_on(quarantine.read_tags(self.s3, version)) else None

    def _judge(self, version: ObjectVersion, record: Fields, attempt: Attempt) -> Fields:
        facts: Fields = {}
        try:
            image = gate.read(self.s3, version)
            facts = image.fields()
            gate.check(image)
            result = self._analyse(version, record, attempt)
        except Unusable as error:
            reason = {"code": error.code, "message": error.message}
            result = _result("unusable", [reason])
        except Exception as error:
            result = self._judge_unreadable(version, error)
        return {
            **facts,
            **result,
            "settings": self.settings,
            "analysed_at": self.clock.iso(),
            "quarantined": False,
        }

    def _analyse(self, version: ObjectVersion, record: Fields, attempt: Attempt) -> Fields:
        known = partial.read(record, self.settings)
        found = self.detector.detect(version, attempt.spare, known)
        if found.failure:
            raise self._incomplete(version, record, attempt, found)
        answers = found.answers
        findings = {name: answer.findings for name, answer in answers.items()}
        verdict = policy.decide(findings, self.policy)
        result = _result(verdict.decision, list(verdict.reasons))
        return {**result, "analyses": {name: each.fields for name, each in answers.items()}}

    def _incomplete(
        self, version: ObjectVersion, record: Fields, attempt: Attempt, found: Detection
    ) -> Exception:
        """Keep the answers that there are, and return why there are no more."""
        error = found.failure or Transient("an analysis has no answer")
        if errors.kind_of(error) == "ambiguous":
            error = gate.why_not_fetched(self.s3, version)
        if found.answers and errors.kind_of(error) != "unusable":
            self.records.keep(record, attempt.owner, partial.fields(found.answers, self.settings))
        return error

    def _judge_unreadable(self, version: ObjectVersion, error: Exception) -> Fields:
        """The result for a version that we are not let read, if that is by quarantine.

        Its record was lost (it expired, say) while the tag stayed, or a person set the tag.
        Raises `error` if the version carries no such tag.
        """
        if errors.kind_of(error) != "denied":
            raise error
        try:
            tags = quarantine.read_tags(self.s3, version)
        except Exception:
            raise error from None
        if tags is None:
            return _result("unusable", [{"code": "object_gone", "message": gate.GONE}])
        if not quarantine.is_on(tags):
            raise error
        message = f"the version carries the tag {quarantine.TAG_KEY}; only a person lifts it"
        return _result("reject", [{"code": "quarantined", "message": message}])

    def _quarantine(
        self, version: ObjectVersion, record: Fields, attempt: Attempt, verdict: Fields
    ) -> Fields:
        tags = quarantine.read_tags(self.s3, version)
        if tags is None:
            return verdict  # Deleted meanwhile: nothing is left to keep from anyone.
        if quarantine.is_on(tags):
            return {**verdict, "quarantined": True}
        plan = quarantine.plan(tags)
        verdict = {name: each for name, each in verdict.items() if name != "displaced_tag"}
        if plan.displaced:
            tag = plan.displaced
            verdict["displaced_tag"] = {"key": tag["Key"], "value": tag["Value"]}
        self.records.plan(record, attempt.owner, verdict)
        return {**verdict, "quarantined": quarantine.write(self.s3, version, plan.tags)}

    def _finish(self, record: Fields, kind: Literal["analysed", "announced"]) -> Outcome:
        if record["announced"]:
            return Outcome("repeated", record)
        self.records.advance(record)
        self._announce(record)
        self.records.mark_announced(record)
        return Outcome(kind, record)

    def _announce(self, record: Fields) -> None:
        detail = events.build(record, self.records.table)
        answer = self.events.put_events(Entries=[events.entry(detail, self.bus)])
        # PutEvents answers 200 even when it took no entry ("PutEvents", EventBridge API reference).
        if answer.get("FailedEntryCount"):
            code = answer["Entries"][0].get("ErrorCode")
            raise Transient(f"PutEvents did not take the event: {code}")

    def _release(self, version: ObjectVersion, attempt: Attempt) -> None:
        try:
            self.records.release(version, attempt.owner)
        except Exception:
            # The failure that brought us here is the one to report; the lease ends by itself.
            return


def _result(decision: str, reasons: list[Fields]) -> Fields:
    return {"decision": decision, "reasons": reasons, "analyses": {}}

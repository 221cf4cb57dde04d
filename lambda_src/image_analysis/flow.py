"""One object version from claim to announcement.

Each step may be cut off or come twice, so each is either conditional or harmless to repeat:

    claim → read → analyse → [note verdict → tag] → record done → current → event → announced

Where some analyses of an image fail and others do not, the answers that there are stay in the
record, and the next try asks for the others only. An image whose bytes were analysed before
under the same settings is not analysed but answered from that record (see `reuse`).

What a second delivery finds, and does: a live lease: comes back later; an ended lease: starts
again, or from the noted verdict; a finished record that was not announced: goes on from
`current`; an announced one: nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from image_analysis import gate, partial
from image_analysis.detection import Detection, Detector
from image_analysis.overflow import Overflow
from image_analysis.reuse import Known, Reuse
from shared import errors, objects, policy
from shared.clock import Clock
from shared.conclusion import Conclusion, result
from shared.dynamodb import Fields
from shared.errors import Busy, Transient, Unusable
from shared.policy import Policy
from shared.records import Claim, Records
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

    settings: fingerprint of analyses and policy.
    """

    s3: Any
    detector: Detector
    records: Records
    overflow: Overflow
    conclusion: Conclusion
    reuse: Reuse
    policy: Policy
    settings: str
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
        verdict = self.conclusion.noted(version, record)
        if verdict is None:
            verdict = self.overflow.fit(record, self._judge(version, record, attempt))
        if verdict["decision"] == "reject":
            verdict = self.conclusion.quarantine(version, record, attempt.owner, verdict)
        spent = round((self.clock.monotonic() - started) * 1000)
        return self.records.complete(record, attempt.owner, {**verdict, "duration_ms": spent})

    def _judge(self, version: ObjectVersion, record: Fields, attempt: Attempt) -> Fields:
        facts: Fields = {}
        try:
            image = gate.read(self.s3, version)
            facts = image.fields()
            gate.check(image)
            known = self.reuse.look(version, image, self.clock.time())
            found = self._answered(known) or self._analyse(version, record, attempt, known)
        except Unusable as error:
            reason = {"code": error.code, "message": error.message}
            found = result("unusable", [reason])
        except Exception as error:
            found = self.conclusion.why_unreadable(version, error)
        return {
            **facts,
            **found,
            "settings": self.settings,
            "analysed_at": self.clock.iso(),
            "quarantined": False,
        }

    def _answered(self, known: Known | None) -> Fields | None:
        """The result that the same bytes had before, with the calls that it saves."""
        if known is None or known.found is None:
            return None
        saved = len(self.detector.calls())
        return {**known.found, "content": known.content, "calls_saved": saved}

    def _analyse(
        self, version: ObjectVersion, record: Fields, attempt: Attempt, known: Known | None
    ) -> Fields:
        kept = partial.read(record, self.settings)
        found = self.detector.detect(version, attempt.spare, kept)
        if found.failure:
            raise self._incomplete(version, record, attempt, found)
        answers = found.answers
        findings = {name: answer.findings for name, answer in answers.items()}
        verdict = policy.decide(findings, self.policy)
        decided = result(verdict.decision, list(verdict.reasons))
        analyses = {name: each.fields for name, each in answers.items()}
        if known is None:
            return {**decided, "analyses": analyses}
        self.reuse.models.note(analyses)
        mark = {"content": known.content, "answered_at": self.clock.iso()}
        return {**decided, "analyses": analyses, **mark}

    def _incomplete(
        self, version: ObjectVersion, record: Fields, attempt: Attempt, found: Detection
    ) -> Exception:
        """Keep the answers that there are, and return why there are no more."""
        error = found.failure or Transient("an analysis has no answer")
        if errors.kind_of(error) == "ambiguous":
            error = objects.why_not_fetched(self.s3, version)
        if found.answers and errors.kind_of(error) != "unusable":
            self.records.keep(record, attempt.owner, partial.fields(found.answers, self.settings))
        return error

    def _finish(self, record: Fields, kind: Literal["analysed", "announced"]) -> Outcome:
        return Outcome(kind if self.conclusion.announce(record) else "repeated", record)

    def _release(self, version: ObjectVersion, attempt: Attempt) -> None:
        try:
            self.records.release(version, attempt.owner)
        except Exception:
            # The failure that brought us here is the one to report; the lease ends by itself.
            return

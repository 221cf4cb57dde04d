"""One batch of a list: what of it has to be analysed goes into the queue."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from image_analysis.backfill import candidates
from image_analysis.backfill.backlog import Backlog
from image_analysis.backfill.candidates import DONE, SOURCES, Candidate
from image_analysis.backfill.found import Finder
from image_analysis.backfill.plans import Plan, Plans
from shared import records
from shared.errors import Transient
from shared.s3_events import ObjectVersion, body

# "SendMessageBatch" in the Amazon SQS API reference.
MESSAGES = 10
_TRIES = 3
SENDERS = 8


@dataclass(frozen=True)
class Batch:
    """A batch of items, as the Distributed Map hands it over.

    run: name of the execution. dry: whether nothing is to be sent. source: the form of the items.
    """

    run: str
    dry: bool
    source: candidates.Source
    items: Sequence[Mapping[str, Any]]

    @classmethod
    def of(cls, event: Mapping[str, Any]) -> "Batch":
        """Return the batch in the input of a child execution. Raises ValueError."""
        shared = event["BatchInput"]
        if shared["source"] not in SOURCES:
            raise ValueError(f"source is {shared['source']!r}, allowed are {', '.join(SOURCES)}")
        return cls(shared["run"], bool(shared["dry_run"]), shared["source"], event["Items"])


@dataclass(frozen=True)
class Feeder:
    """Puts object versions into the queue; one is made for an execution environment.

    bucket: of the images. prefixes: what their keys begin with. settings: fingerprint of the
    analyses and policy.
    """

    finder: Finder
    plans: Plans
    backlog: Backlog
    sqs: Any
    bucket: str
    prefixes: Sequence[str]
    settings: str

    def feed(self, batch: Batch) -> dict[str, Any]:
        """Return `seconds` to wait before the batch may be fed, or what came of it in numbers."""
        seconds = 0 if batch.dry else self.backlog.pause()
        if seconds:
            return {"seconds": seconds, "counts": {}}
        versions, left = self._versions(batch)
        known = self.finder.records((each.key, each.version_id) for each in versions)
        due = [
            each
            for each in versions
            if not records.is_settled(known.get((each.key, each.version_id)), self.settings)
        ]
        objects = tuple((each.key, each.version_id, each.sequencer) for each in due)
        plan = Plan(self.settings, objects)
        if not batch.dry:
            # Even an empty one: what an earlier try of this batch has sent may be done by now.
            plan = self.plans.keep(batch.run, batch.items, plan)
            self._send(plan)
        left[DONE] = max(0, len(versions) - len(plan.objects))
        counts = {"objects": len(batch.items), "queued": len(plan.objects), "left_out": dict(left)}
        return {"seconds": 0, "counts": counts}

    def _versions(self, batch: Batch) -> tuple[list[ObjectVersion], Counter[str]]:
        read = [
            candidates.read(item, batch.source, self.bucket, self.prefixes) for item in batch.items
        ]
        left = Counter(each for each in read if isinstance(each, str))
        looked_up = self.finder.versions([each for each in read if isinstance(each, Candidate)])
        left.update(each for each in looked_up if isinstance(each, str))
        return [each for each in looked_up if not isinstance(each, str)], left

    def _send(self, plan: Plan) -> None:
        bodies = [body(self.bucket, *each) for each in plan.objects]
        parts = [bodies[start : start + MESSAGES] for start in range(0, len(bodies), MESSAGES)]
        with ThreadPoolExecutor(SENDERS) as pool:
            list(pool.map(self._send_some, parts))

    def _send_some(self, bodies: Sequence[Mapping[str, Any]]) -> None:
        left = {str(number): json.dumps(each) for number, each in enumerate(bodies)}
        for _ in range(_TRIES):
            answer = self.sqs.send_message_batch(
                QueueUrl=self.backlog.url,
                Entries=[{"Id": name, "MessageBody": text} for name, text in left.items()],
            )
            failed = {each["Id"] for each in answer.get("Failed", ())}
            left = {name: text for name, text in left.items() if name in failed}
            if not left:
                return
        raise Transient(f"the queue did not take {len(left)} of {len(bodies)} messages")

"""What a batch puts into the queue, written down before it does: one small file a batch.

So a batch that is cut off and run again sends the same versions, and counts them once. The files
are also what the last step counts the results of.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared import errors

# "PutObject", Amazon S3 API reference: the object is there, or is being written by another.
_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")


@dataclass(frozen=True)
class Plan:
    """Versions to analyse.

    settings: fingerprint of the analyses and policy that the feeder knew. objects: key, version
    id and sequencer of each.
    """

    settings: str
    objects: tuple[tuple[str, str, str], ...]

    def text(self) -> str:
        """Return the plan as JSON."""
        return json.dumps({"settings": self.settings, "objects": self.objects})

    @classmethod
    def read(cls, text: str | bytes) -> "Plan":
        """Return the plan that a JSON text holds."""
        data: Any = json.loads(text)
        return cls(data["settings"], tuple((k, v, s) for k, v, s in data["objects"]))


@dataclass(frozen=True)
class Plans:
    """The plans of backfills, in `bucket` below `prefix`."""

    s3: Any
    bucket: str
    prefix: str

    def keep(self, run: str, items: Sequence[Mapping[str, Any]], plan: Plan) -> Plan:
        """Keep the plan for a batch of items; return the one that was kept first."""
        # Of the whole items: no two batches of a run hold the same.
        digest = hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()[:32]
        key = f"{self.prefix}{run}/plan/{digest}.json"
        try:
            self.s3.put_object(
                Bucket=self.bucket, Key=key, Body=plan.text().encode(), IfNoneMatch="*"
            )
        except Exception as error:
            if errors.code_of(error) not in _TAKEN:
                raise
            return self.read(key)
        return plan

    def read(self, key: str) -> Plan:
        """Return the plan that is kept under `key`."""
        return Plan.read(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

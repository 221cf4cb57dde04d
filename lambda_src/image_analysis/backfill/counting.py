"""What became of what was put into the queue: the records tell."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from image_analysis.backfill.found import Finder
from image_analysis.backfill.plans import Plans
from shared import records


@dataclass(frozen=True)
class Results:
    """Counts the results of plans."""

    finder: Finder
    plans: Plans

    def count(self, items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Return in numbers what became of the plans that `items`, objects of a listing, name.

        done: have a finished record; reused: of these, answered from the record of the same bytes,
        at no price. failed: have none, though the queue is empty. decisions,
        settings: of the finished records, by decision and by fingerprint.
        """
        planned = [
            (key, version)
            for item in items
            for key, version, _ in self.plans.read(str(item["Key"])).objects
        ]
        known = self.finder.records(planned)
        ended = [known[each] for each in planned if records.is_finished(known.get(each))]
        return {
            "done": len(ended),
            "failed": len(planned) - len(ended),
            "reused": sum(bool(record.get("calls_saved")) for record in ended),
            "decisions": Counter(str(record["decision"]) for record in ended),
            "settings": Counter(str(record["settings"]) for record in ended),
        }

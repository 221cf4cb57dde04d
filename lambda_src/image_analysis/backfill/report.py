"""The report of a backfill: the numbers of all its batches, added up, and what they cost."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from image_analysis.backfill import costs
from image_analysis.backfill.candidates import DONE, QUARANTINED

Numbers = dict[str, Any]


@dataclass(frozen=True)
class Reporter:
    """Writes reports, to `bucket` below `prefix`.

    settings: fingerprint of the analyses and policy. image_price: what Amazon Rekognition takes
    for one image. memory_mb: of the function that feeds.
    """

    s3: Any
    bucket: str
    prefix: str
    settings: str
    image_price: float
    memory_mb: int

    def report(self, given: Mapping[str, Any]) -> Numbers:
        """Return the report of a run, and keep it.

        given: `run`, `dry_run`, `fed` and, after a run that has put something into the queue,
        `counted`: where a Map Run has exported its results.
        """
        run, dry = str(given["run"]), bool(given["dry_run"])
        fed = self._added(given["fed"])
        counted = self._added(given["counted"]) if "counted" in given else {}
        left = cast("Numbers", fed.get("left_out", {}))
        queued, decisions = int(fed.get("queued", 0)), counted.get("decisions", {})
        free = decisions.get("unusable", 0) + counted.get("reused", 0)
        judged = sum(decisions.values()) - free
        orchestration = costs.orchestration(
            [fed, counted], queued=0 if dry else queued, memory_mb=self.memory_mb
        )
        report: Numbers = {
            "run": run,
            "dry_run": dry,
            "settings": self.settings,
            "objects": int(fed.get("objects", 0)),
            "queued": queued,
            "skipped": {name: int(left.get(name, 0)) for name in (DONE, QUARANTINED)},
            "left_out": {k: v for k, v in left.items() if k not in (DONE, QUARANTINED)},
            "done": int(counted.get("done", 0)),
            "reused": int(counted.get("reused", 0)),
            "failed": int(counted.get("failed", 0)),
            "decisions": decisions,
            "results_by_settings": counted.get("settings", {}),
            "usd": {
                "rekognition": round((queued if dry else judged) * self.image_price, 4),
                "orchestration": round(orchestration, 6),
            },
        }
        key = f"{self.prefix}{run}/report.json"
        text = json.dumps(report, indent=2, sort_keys=True)
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=text.encode())
        return report

    def _added(self, place: Mapping[str, Any]) -> Numbers:
        total: Numbers = {"batches": 0}
        for result in self._results(place):
            total["batches"] += 1
            _add(total, result)
        return total

    def _results(self, place: Mapping[str, Any]) -> Iterator[Numbers]:
        """The results of a Map Run's children, one by one: together they may be large."""
        manifest = json.loads(self._body(place["Key"]).read())
        for file in manifest["ResultFiles"]["SUCCEEDED"]:
            for line in self._body(file["Key"]).iter_lines():
                if line.strip():
                    yield json.loads(line)

    def _body(self, key: str) -> Any:
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"]


def _add(total: Numbers, more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict):
            _add(total.setdefault(name, {}), cast("Numbers", value))
        else:
            total[name] = total.get(name, 0) + value

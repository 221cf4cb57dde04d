"""Compare what an endpoint was asked, and answered, with the baseline of its live version.

    python3 <code>/ml_src/shared/drift/job.py --captured <folder> --baseline <folder>
        --output <folder> --adapter ml_src.churn.capture [--labels <folder>]
        [--groups gender SeniorCitizen=1 …] [--thresholds <json>]
        [--dimensions Endpoint=churn …] [--since <time>] [--until <time>]

Writes to the output folder drift.json (all figures, the verdict and its reasons), metrics.json
(what PutMetricData takes as MetricData) and report.html (one page for people). Calls no AWS API:
what runs the job publishes the metrics. That nothing, or too little, was captured is an outcome,
no error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[3])

from ml_src.shared.drift import adapter, baseline, labels
from ml_src.shared.drift.batches import batches
from ml_src.shared.drift.captured import Seen, Window, instant
from ml_src.shared.drift.compare import Result, compare
from ml_src.shared.drift.document import document
from ml_src.shared.drift.metrics import metrics
from ml_src.shared.drift.tally import Tally
from ml_src.shared.drift.thresholds import Thresholds
from ml_src.shared.failure import PROCESSING, Arguments, JobError, ending_with_reason


@dataclass(frozen=True)
class Task:
    """What to compare.

    captured, baseline, output: folders. adapter: the module that reads the model's requests.
    labels: folder with late labels, or None.
    groups: by feature the value whose group is watched for bias, None for each value in turn.
    dimensions: put on every metric. window: the inference times to look at.
    """

    captured: Path
    baseline: Path
    output: Path
    adapter: str
    labels: Path | None = None
    groups: dict[str, str | None] = field(default_factory=dict[str, "str | None"])
    thresholds: Thresholds = field(default_factory=Thresholds)
    dimensions: dict[str, str] = field(default_factory=dict[str, str])
    window: Window = field(default_factory=Window)


def watch(task: Task) -> dict[str, Any]:
    """Do all of it.

    Returns:
        What drift.json holds.

    Raises:
        JobError: a folder is missing, the baseline cannot be used, or the captured files hold
            something else.
    """
    model = adapter.load(task.adapter)
    known = baseline.read(task.baseline)
    if not model.LABELS and (task.labels or task.groups):
        option = "--labels" if task.labels else "--groups"
        raise JobError(
            f"{option}: {task.adapter} foretells a quantity, and this watch judges late labels and "
            "groups only of a model that says yes or no; leave it out"
        )
    late = labels.read(task.labels, model.LABELS) if task.labels else None
    tally, seen = Tally(known, tuple(task.groups), late), Seen()
    for batch in batches(task.captured, model, seen, task.window):
        tally.add(batch)
    result: Result | None = None
    if seen.rows >= task.thresholds.least_rows:
        result = compare(tally, known, task.thresholds, task.groups)
    report = document(result, seen, late, known, task.thresholds)
    published, left_out = metrics(report, task.dimensions)
    report["metrics_left_out"] = left_out
    task.output.mkdir(parents=True, exist_ok=True)
    _save(task.output / "drift.json", report)
    _save(task.output / "metrics.json", published)

    from ml_src.shared.drift.report import page  # matplotlib takes a second to import

    (task.output / "report.html").write_text(page(report, result), encoding="utf-8")
    return report


def _save(path: Path, content: Any) -> None:
    text = json.dumps(content, indent=1, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8")


def parse(argv: Sequence[str]) -> Task:
    """Read the command line; raises `JobError`."""
    root = Path("/opt/ml/processing")
    parser = Arguments("Compare captured requests with a model's baseline.", PROCESSING)
    parser.add_argument("--captured", type=Path, default=root / "input/captured")
    parser.add_argument("--baseline", type=Path, default=root / "input/baseline")
    parser.add_argument("--output", type=Path, default=root / "output")
    parser.add_argument("--adapter", required=True, help="module, such as ml_src.churn.capture")
    parser.add_argument("--labels", type=Path, help="folder with CSV files")
    parser.add_argument("--groups", nargs="*", default=[], help="feature or feature=value")
    parser.add_argument("--thresholds", default="{}", help="JSON object, or a file with one")
    parser.add_argument("--dimensions", nargs="*", default=[], help="name=value")
    parser.add_argument("--since", help="ISO 8601 time; earlier requests are left out")
    parser.add_argument("--until", help="ISO 8601 time; requests from then on are left out")
    given = parser.parse_args(argv)
    return Task(
        captured=given.captured,
        baseline=given.baseline,
        output=given.output,
        adapter=given.adapter,
        labels=given.labels,
        groups=_groups(given.groups),
        thresholds=Thresholds.parse(given.thresholds),
        dimensions=_dimensions(given.dimensions),
        window=_window(given.since, given.until),
    )


def _groups(words: Sequence[str]) -> dict[str, str | None]:
    groups: dict[str, str | None] = {}
    for word in words:
        feature, given, value = word.partition("=")
        if not feature or (given and not value) or feature in groups:
            raise JobError(
                f"--groups: {word!r}: allowed is a feature, or feature=value, each feature once"
            )
        groups[feature] = value if given else None
    return groups


def _dimensions(words: Sequence[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        name, given, value = word.partition("=")
        whole = bool(name.strip() and given and value.strip())
        if not whole or not word.isascii() or name in found:
            raise JobError(
                f"--dimensions: {word!r}: allowed is name=value in ASCII, each name once"
            )
        found[name] = value
    return found


def _window(since: str | None, until: str | None) -> Window:
    ends: list[datetime | None] = []
    for option, text in (("--since", since), ("--until", until)):
        try:
            ends.append(instant(text) if text else None)
        except ValueError as error:
            raise JobError(f"{option} {text!r}: not an ISO 8601 time") from error
    if ends[0] and ends[1] and ends[0] >= ends[1]:
        raise JobError(f"--since {since} does not lie before --until {until}")
    return Window(*ends)


def run(argv: Sequence[str]) -> None:
    """Compare as the command line says, and print what was found."""
    report = watch(parse(argv))
    requests = report["requests"]
    print(f"drift status={report['status']} rows={requests['rows']} requests={requests['used']}")
    for text in (*report["reasons"], *report["warnings"]):
        print(f"found: {text}")


def main(argv: Sequence[str] | None = None) -> None:
    """Run as a script: the reason of a failure goes where SageMaker reads it."""
    sys.exit(ending_with_reason(run, sys.argv[1:] if argv is None else argv, PROCESSING))


if __name__ == "__main__":
    main()

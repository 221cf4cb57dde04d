"""What a drift watch looks at: the period's folders and the job's inputs, in JSONata.

Source: "Transforming data with JSONata in Step Functions" (AWS Step Functions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .job_requests import CODE, CODE_INPUT, FAILURE_MESSAGE, INPUT, OUTPUT
from .release_states import sdk

SCRIPT = "ml_src/shared/drift/job.py"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

MOST_HOUR_FOLDERS = 5
"""Hours that are read as folders of hours; CreateProcessingJob takes ten inputs in all."""
MOST_DAY_FOLDERS = 96
LONGEST_PERIOD = 744
"""A longer period is read as folders of days, or of months: at most six folders."""


@dataclass(frozen=True, kw_only=True)
class WatchPlaces:
    """What a watch works with, as names; each may be a CDK token.

    Attributes:
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        name: Jobs' names begin with it.
        model, endpoint, variant: Whose requests are watched.
        parameter: SSM parameter with the live version.
        captured_bucket, captured_prefix: The variant's folder of captured requests.
        labels_bucket, labels_prefix: Folder of late labels; None: there are none.
        reports_bucket, reports_prefix: Folder of the watch's results.
        code_url: Address of the code archive.
        job: CreateProcessingJob's parameters without names, inputs, outputs and arguments.
        key: Key of the results.
        arguments: Of the script, but for what changes from run to run.
        period_hours, delay_minutes, settle_minutes: See ``WatchPeriod``.
        timeout_seconds: After so long the job is stopped and given up.
        bus: Name of the bus that hears of drift; None: none does.
    """

    partition: str
    name: str
    model: str
    endpoint: str
    variant: str
    parameter: str
    captured_bucket: str
    captured_prefix: str
    labels_bucket: str | None
    labels_prefix: str
    reports_bucket: str
    reports_prefix: str
    code_url: str
    job: Mapping[str, Any]
    key: str
    arguments: Sequence[str]
    period_hours: int
    delay_minutes: int
    settle_minutes: int
    timeout_seconds: int
    bus: str | None

    def sdk(self, service: str, action: str) -> str:
        """The resource of an AWS SDK integration."""
        return sdk(service, action, self.partition)

    @property
    def dimensions(self) -> dict[str, str]:
        """Of every metric."""
        return {"Endpoint": self.endpoint, "Watch": self.name}


def _slots(period_hours: int) -> tuple[int, str]:
    """How long a folder's step is, in ms, and how its name is made of a time."""
    if period_hours <= MOST_HOUR_FOLDERS:
        return HOUR_MS, "[Y0001]/[M01]/[D01]/[H01]/"
    if period_hours <= MOST_DAY_FOLDERS:
        return DAY_MS, "[Y0001]/[M01]/[D01]/"
    return DAY_MS, "[Y0001]/[M01]/"


def plan(places: WatchPlaces) -> str:
    """The period, as JSONata: whole hours, and never from before the live version answered alone.

    A request is filed by the hour, but its file may be closed in the next one: the folder after
    the period is read, too. The script itself takes nothing from outside the period.
    """
    step, picture = _slots(places.period_hours)
    return f"""(
  $in := $states.input;
  $until := $floor(($toMillis($in.at) - {60_000 * places.delay_minutes}) / {HOUR_MS}) * {HOUR_MS};
  $settled := $toMillis($in.live.since) + {60_000 * places.settle_minutes};
  $since := $max([$until - {places.period_hours * HOUR_MS}, $settled]);
  $first := $floor($since / {step}) * {step};
  $steps := $floor(($until + {HOUR_MS - 1} - $first) / {step});
  $folders := [[0..$steps].("{places.captured_prefix}"
    & $fromMillis($first + $ * {step}, "{picture}"))];
  $metrics := $in.package.ModelMetrics;
  $folder := function($uri) {{ $replace($uri, /[^\\/]+$/, "") }};
  {{
    "places": $in.places,
    "live": $in.live,
    "period": {{
      "since": $fromMillis($since),
      "until": $fromMillis($until),
      "stamp": $fromMillis($until, "[Y0001]/[M01]/[D01]/[H01]"),
      "empty": $since >= $until,
      "folders": [$distinct($folders)]
    }},
    "baselines": [
      $folder($metrics.ModelDataQuality.Statistics.S3Uri),
      $folder($metrics.ModelQuality.Statistics.S3Uri)
    ]
  }}
)"""


def assembled(places: WatchPlaces) -> str:
    """The job's name, inputs, arguments and output, as JSONata."""
    fixed = ", ".join(f'"{word}"' for word in (f"{CODE}/{SCRIPT}", *_arguments(places)))
    prefix, labels = places.reports_prefix, places.labels_prefix
    return f"""(
  $in := $states.input;
  $input := function($name, $uri) {{ {{
    "InputName": $name,
    "S3Input": {{
      "S3Uri": $uri,
      "LocalPath": "{INPUT}/" & $replace($name, "-", "/"),
      "S3DataType": "S3Prefix",
      "S3InputMode": "File",
      "S3DataDistributionType": "FullyReplicated",
      "S3CompressionType": "None"
    }}
  }} }};
  $found := [$in.looked[looked.found > 0].prefix];
  $labelled := $exists($in.labels[found > 0]);
  $run := $substringBefore($uuid(), "-");
  $place := "{prefix}" & $in.period.stamp & "-" & $run;
  {{
    "live": $in.live,
    "period": $in.period,
    "job": {{
      "captured": $count($found),
      "name": "{places.name}-" & $run,
      "folder": $place,
      "output": "s3://" & $in.places.reports & "/" & $place,
      "inputs": $reduce([
        [$input("{CODE_INPUT}", $in.places.code)],
        [$map($in.baselines, function($uri, $n) {{ $input("baseline-" & $n, $uri) }})],
        [$map($found, function($folder, $n) {{
          $input("captured-" & $n, "s3://" & $in.places.captured & "/" & $folder)
        }})],
        $labelled ? [$input("labels", "s3://" & $in.places.labels & "/{labels}")] : []
      ], $append),
      "arguments": $append(
        [{fixed}, "--since", $in.period.since, "--until", $in.period.until],
        $labelled ? ["--labels", "{INPUT}/labels"] : []
      )
    }}
  }}
)"""


def _arguments(places: WatchPlaces) -> list[str]:
    dimensions = [f"{name}={value}" for name, value in places.dimensions.items()]
    words = [
        *("--captured", f"{INPUT}/captured", "--baseline", f"{INPUT}/baseline"),
        *("--output", OUTPUT, "--failure-file", FAILURE_MESSAGE),
        *places.arguments,
        *("--dimensions", *dimensions),
    ]
    return [word.replace("\\", "\\\\").replace('"', '\\"') for word in words]

"""The settings of the vision stack: how images are analysed and judged."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from config.analyses import ANALYSES, QUOTAS, Analyses, AnalysisSettings, ModerationSettings
from config.base import Broken, Keys, Loc, Section, meant, whole
from config.custom_models import CustomModelSettings
from config.names import ModelName, Prefix
from config.policy import EVERY_LABEL, LabelPolicy
from config.results import AthenaSettings, BlurredCopiesSettings
from config.video import VideoAnalyses, VideoSettings

VISIBILITY_FACTOR = 6
LONGEST_VISIBILITY = 43_200
# Calls within one time-out, below which a worker's share of them (half, of half the time) is none.
LEAST_CALLS = 5
# Every cold start reads them.
MOST_BYTES = 131_072

Days = Annotated[int, Field(ge=1, le=14)]
BackoffSeconds = Annotated[int, Field(ge=1, le=LONGEST_VISIBILITY)]
Proportion = Annotated[float, Field(ge=0, le=1), AfterValidator(whole)]
CallsPerSecond = Annotated[float, Field(gt=0, le=10_000), AfterValidator(whole)]


class FunctionSettings(Section):
    """The Lambda function that analyses images ("Lambda quotas")."""

    timeout_seconds: int = Field(default=60, ge=3, le=900)
    """How long one batch may take, in seconds. A message stays invisible for six times as long
    ("Using Lambda with Amazon SQS"), which is always within the 12 hours that Amazon SQS
    allows."""
    memory_mb: int = Field(default=512, ge=128, le=10_240)
    """Memory in MB. CPU grows with it."""

    @property
    def visibility_seconds(self) -> int:
        """The queue's visibility timeout: six times the function's, as AWS Lambda advises."""
        return VISIBILITY_FACTOR * self.timeout_seconds


class QueueSettings(Section):
    """The queue in front of the function, and its dead-letter queue ("Amazon SQS quotas")."""

    max_receives: int = Field(default=8, ge=5, le=1000)
    """How often a message is tried before it goes to the dead-letter queue. AWS Lambda advises
    at least 5 ("Using Lambda with Amazon SQS")."""
    retention_days: Days = 4
    """How many days an unread message is kept."""
    dead_letter_retention_days: Days = 14
    """How many days a message in the dead-letter queue is kept. Must be longer than
    `retention_days`: a message's age counts from when it was first sent ("Using dead-letter
    queues in Amazon SQS")."""

    def rules(self) -> Iterator[Broken]:
        """Yield a dead-letter queue that forgets as soon as the queue."""
        if self.dead_letter_retention_days <= self.retention_days:
            yield Broken(
                ("dead_letter_retention_days",),
                self.dead_letter_retention_days,
                f"is not longer than retention_days ({self.retention_days}): a message keeps "
                "its age when it moves and would be lost at once",
                "more days than retention_days, at most 14; or a shorter retention_days",
            )


class RetrySettings(Section):
    """How long a failed message waits ("Amazon SQS visibility timeout": at most 12 hours)."""

    first_seconds: BackoffSeconds = 5
    """Wait after the first failure, in seconds; it doubles with each further one."""
    most_seconds: BackoffSeconds = 300
    """The longest wait, in seconds."""
    denied_seconds: BackoffSeconds = 900
    """Wait after an access error, in seconds: long, so that a wrong policy does not drain the
    queue into its dead-letter queue before someone mends it."""

    def rules(self) -> Iterator[Broken]:
        """Yield a longest wait below the first."""
        if self.most_seconds < self.first_seconds:
            yield Broken(
                ("most_seconds",),
                self.most_seconds,
                f"is less than first_seconds ({self.first_seconds})",
                f"a whole number from {self.first_seconds} to {LONGEST_VISIBILITY}",
            )


def _default_policy(known: dict[str, Any]) -> dict[str, Any]:
    """Return the own policy of each analysis that is on, of images or of videos."""
    analyses: Analyses | None = known.get("analyses")
    video: VideoSettings | None = known.get("video")
    on = video.analyses.on() if video else {}
    on |= analyses.on() if analyses else {}
    return {name: one.policy for name, one in on.items()}


def _complete(quotas: Mapping[str, float]) -> Mapping[str, float]:
    return {**QUOTAS, **quotas}


KNOWN = tuple(dict.fromkeys((*ANALYSES, *VideoAnalyses.model_fields)))
Policy = Annotated[Mapping[str, LabelPolicy], Keys(KNOWN)]
Quotas = Annotated[Mapping[str, CallsPerSecond], Keys(tuple(QUOTAS)), AfterValidator(_complete)]


class ReviewShareSettings(Section):
    """Which share of the judged images usually waits for a person. An alarm rings when it is
    another: what arrives has changed, or the policy no longer fits it."""

    least: Proportion = 0
    """Below this share it is unusual; 0: it cannot be too low."""
    most: Proportion = 0.5
    """From this share on it is unusual."""
    hours: int = Field(default=3, ge=1, le=24)
    """In how many hours of the last 24 it must be so. Hours without an image do not count, so
    that a few images of a quiet day do not ring."""

    def rules(self) -> Iterator[Broken]:
        """Yield bounds that nothing lies between."""
        if self.least >= self.most:
            problem = f"is not above least ({self.least})"
            yield Broken(("most",), self.most, problem, "a number above least, at most 1")


class BackfillSettings(Section):
    """Analysing what lies in the images bucket already: see the page backfill.md."""

    quota_share: Annotated[float, Field(ge=0.2, le=0.8), AfterValidator(whole)] = 0.5
    """The share of `quotas` that a backfill gets, in whole workers; what arrives anew has the
    rest, whether or not one runs."""
    prefixes: Sequence[Prefix] = ()
    """Further folders of the images bucket that a backfill may take images from, for example
    "archive/". No event makes anything of what arrives there."""
    settle_seconds: int = Field(default=60, ge=1, le=3_600)
    """Least time between two looks at the queue, in seconds. Its numbers are approximate, and
    settle within a minute ("GetQueueAttributes", Amazon SQS)."""


class VisionSettings(Section):
    """How images are analysed and judged."""

    prefix: Prefix = "incoming/"
    """Only objects whose key begins with this are analysed. Ends with "/"."""
    analyses: Analyses = Analyses(moderation=ModerationSettings())
    """The analyses that are on; at least one."""
    custom_models: Annotated[Mapping[ModelName, CustomModelSettings], Field(max_length=10)] = Field(
        default={}
    )
    """Custom Labels models of your own, by name: trained, gated, started on a lease and stopped.
    `analyses.custom_labels.models` lists the names of those that look at images."""
    video: VideoSettings | None = None
    """How stored videos are analysed; null: not at all."""
    policy: Policy = Field(
        default_factory=_default_policy, json_schema_extra={"x-default": "each analysis's own"}
    )
    """For an analysis that is on, what follows from its labels: a mapping of label names to
    confidence bands. The exact name of a label wins over its nearest parent or category, and
    that over "*", which must be there. An analysis that is left out has its own policy:
    moderation rejects every label from 60 on, image_quality asks a person about poor pictures,
    the others accept everything. What is given for an analysis replaces its own policy whole."""
    quotas: Quotas = QUOTAS
    """Calls a second that this account has in this Region, for each Rekognition operation in
    use. The functions pace themselves by it. By default 5, the smallest of all Regions; see
    Service Quotas in the AWS console ("Amazon Rekognition endpoints and quotas")."""
    record_days: Annotated[int, Field(ge=1, le=36_500)] | None = 365
    """How many days a result is kept before it expires; null keeps results for ever."""
    reuse_days: Annotated[int, Field(ge=1, le=36_500)] | None = 30
    """An image whose bytes (SHA-256) were analysed within so many days, under the same settings,
    is answered from that record and costs no call; null: every image is analysed. On by default: a
    picture uploaded twice is common, looking for it costs a thousandth of one call, and the answer
    is the same. Amazon renews its models from time to time; this bounds how long an older model's
    answer may be used."""
    review_share: ReviewShareSettings | None = ReviewShareSettings()
    """The usual share of images for review; null: no alarm watches it."""
    athena: AthenaSettings | None = None
    """Each image's result as a row for Amazon Athena; null: no rows are written. `{}` turns it on
    with its defaults."""
    blurred_copies: BlurredCopiesSettings | None = None
    """Copies with every face blurred, of accepted images and those that wait for a person; null:
    none are made. `{}` turns it on with its defaults. Faces are looked for (DetectFaces, one more
    call) unless the analysis faces keeps where they are."""
    backfill: BackfillSettings | None = None
    """Analysing what lies in the bucket already; null: there is no way to."""
    function: FunctionSettings = FunctionSettings()
    """The Lambda function."""
    queue: QueueSettings = QueueSettings()
    """The queue and its dead-letter queue."""
    retry: RetrySettings = RetrySettings()
    """How long a failed message waits."""

    @field_validator("policy")
    @classmethod
    def _with_own_policies(cls, given: Policy, info: ValidationInfo) -> Policy:
        return {**_default_policy(info.data), **given}

    def rules(self) -> Iterator[Broken]:
        """Yield policies without analysis, rules that never apply, and hidden bands."""
        on = self.analyses.on()
        if not on:
            allowed = f"at least one of {', '.join(ANALYSES)}"
            yield Broken(("analyses",), {}, "no analysis is on", allowed, (("analyses",),))
        judged = self._judged()
        for name, places in judged.items():
            yield from self._policy_of(name, places)
        for name in self.policy:
            if name not in judged:
                yield _without_analysis(name)
        yield from self._overlapping()
        yield from self._too_slow()
        yield from self._too_large()
        yield from self._unknown_models()
        yield from self._listed_twice()

    def _unknown_models(self) -> Iterator[Broken]:
        """Yield names that the custom_labels analysis uses and no model has."""
        custom = self.analyses.custom_labels
        for index, model in enumerate(custom.names() if custom else ()):
            if model is not None and model not in self.custom_models:
                at: Loc = ("analyses", "custom_labels", "models", index)
                close = meant(model, self.custom_models)
                problem = "is no model of custom_models" + (
                    f"; did you mean {close}?" if close else ""
                )
                known = ", ".join(self.custom_models)
                allowed = f"{known or 'a name of custom_models'}; or a project version's ARN"
                yield Broken(at, model, problem, allowed, (at, ("custom_models",)))

    @property
    def image_price(self) -> float:
        """What Amazon Rekognition takes for one image, in US dollars, Custom Labels apart."""
        return round(sum(each.price for each in self.analyses.on().values()), 6)

    def named_models(self) -> tuple[str, ...]:
        """Return the names of the Custom Labels models that look at images."""
        custom = self.analyses.custom_labels
        return tuple(name for name in (custom.names() if custom else ()) if name)

    def _too_slow(self) -> Iterator[Broken]:
        timeout = self.function.timeout_seconds
        share = self.backfill.quota_share if self.backfill else 0.5
        # Either side has two workers at least, so that there are more of them to share a quota.
        workers = math.ceil(2 / min(share, 1 - share)) if self.backfill else 2
        on = self.analyses.on().values()
        used = {operation: one.calls() for one in on for operation in one.quotas}
        for operation, calls in sorted(used.items()):
            quota, least = self.quotas[operation], LEAST_CALLS * calls * workers / 2
            if quota * timeout < least:
                at = ("quotas", operation)
                problem = f"lets no call fit into half of the function's time-out, {timeout} s"
                if calls > 1:
                    problem = f"at {calls} calls an image {problem}"
                allowed = (
                    f"at least {least / timeout:.3g}; or a timeout_seconds of at least "
                    f"{math.ceil(least / quota)}"
                )
                yield Broken(at, quota, problem, allowed, (at, ("function", "timeout_seconds")))

    def _listed_twice(self) -> Iterator[Broken]:
        folders = [self.prefix, *([self.video.prefix] if self.video else [])]
        for number, prefix in enumerate(self.backfill.prefixes if self.backfill else ()):
            others = [
                each for each in folders if each.startswith(prefix) or prefix.startswith(each)
            ]
            folders.append(prefix)
            if others:
                at = ("backfill", "prefixes", number)
                problem = f'overlaps with "{others[0]}", whose objects would be looked at twice'
                yield Broken(at, prefix, problem, f"a folder apart from {', '.join(others)}")

    def _too_large(self) -> Iterator[Broken]:
        analyses = {name: one.model_dump() for name, one in self.analyses.on().items()}
        policy = {
            name: {label: bands.given() for label, bands in labels.items()}
            for name, labels in self.policy.items()
        }
        size = len(json.dumps([analyses, policy], separators=(",", ":")).encode())
        if size > MOST_BYTES:
            at = ("policy",)
            problem = (
                f"takes {size:,} bytes with the analyses, which every start of the function reads"
            )
            allowed = f"at most {MOST_BYTES:,} bytes: fewer labels, or parent categories"
            count = sum(len(labels) for labels in self.policy.values())
            yield Broken(at, f"{count} labels", problem, allowed, (at,))

    def _judged(self) -> dict[str, dict[Loc, AnalysisSettings]]:
        """Return the analyses that are on by name, each with the places where it is."""
        places: list[tuple[Loc, AnalysisSettings]] = [
            (("analyses", name), one) for name, one in self.analyses.on().items()
        ]
        video = self.video.analyses.on() if self.video else {}
        places += [(("video", "analyses", name), one) for name, one in video.items()]
        found: dict[str, dict[Loc, AnalysisSettings]] = {}
        for at, one in places:
            found.setdefault(str(at[-1]), {})[at] = one
        return found

    def _overlapping(self) -> Iterator[Broken]:
        """Yield a folder of videos that images would be looked for in, or the other way round."""
        prefix = self.video.prefix if self.video else None
        if prefix and (prefix.startswith(self.prefix) or self.prefix.startswith(prefix)):
            at: Loc = ("video", "prefix")
            problem = f"overlaps with the images' prefix ({self.prefix})"
            yield Broken(at, prefix, problem, "a folder beside it", (at, ("prefix",)))

    def _policy_of(self, name: str, places: Mapping[Loc, AnalysisSettings]) -> Iterator[Broken]:
        labels = self.policy[name]
        if EVERY_LABEL not in labels:
            yield _without_every_label(name)
        each = [one.findings() for one in places.values()]
        findings = [known for known in each if known is not None]
        if len(findings) == len(each):
            known = tuple(dict.fromkeys(label for known in findings for label in known))
            for label in labels:
                if label not in (EVERY_LABEL, *known):
                    yield _never_found(name, label, known)
        for at, one in places.items():
            yield from self._hidden(name, at, one)

    def _hidden(self, name: str, place: Loc, one: AnalysisSettings) -> Iterator[Broken]:
        minimum = getattr(one, "minimum_confidence", None)
        for label, bands in self.policy[name].items():
            start = bands.strict_from()
            if minimum is not None and start is not None and minimum > start:
                yield Broken(
                    (*place, "minimum_confidence"),
                    minimum,
                    f'hides a part of the policy: for "{label}", {_strictest(bands)} begins at '
                    f"{start}, but labels below {minimum} are not asked for",
                    f"a number from 0 to {start}; or bands that begin at {minimum} or above",
                    (place, ("policy", name, label)),
                )


def _strictest(bands: Any) -> str:
    return min((band[0], name) for name, band in bands.given().items() if name != "accept")[1]


def _never_found(name: str, label: str, findings: tuple[str, ...]) -> Broken:
    at = ("policy", name, label)
    close = meant(label, findings)
    problem = f"{name} never finds this" + (f"; did you mean {close}?" if close else "")
    allowed = ", ".join(f'"{each}"' for each in (EVERY_LABEL, *findings))
    return Broken(at, None, problem, allowed, (("analyses", name), at))


def _without_analysis(name: str) -> Broken:
    problem = f'there is a policy for "{name}", but that analysis is off'
    allowed = f"{name}: {{}} under vision.analyses; or leave this policy out"
    return Broken(("policy", name), None, problem, allowed, (("analyses", name), ("policy", name)))


def _without_every_label(name: str) -> Broken:
    at = ("policy", name, EVERY_LABEL)
    problem = 'the policy lacks "*", which judges every label that it does not name'
    return Broken(at, None, problem, '"*": {accept: [0, 60], reject: [60, 100]} or such', (at,))

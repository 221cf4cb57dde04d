"""The settings of stored videos: which are analysed, and for what."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from config.analyses import (
    ACCEPT_ALL,
    AnalysisSet,
    AnalysisSettings,
    CelebritySettings,
    FacesSettings,
    LabelSelection,
    ModerationSettings,
    TextSettings,
)
from config.analysis_fields import Share
from config.base import Broken, Section, Unique, whole
from config.names import Prefix
from config.policy import Bands

SegmentType = Literal["shot", "technical_cue"]


class VideoLabelsSettings(LabelSelection):
    """Labels of a video: objects, scenes and actions, by segment ("StartLabelDetection")."""


class SegmentsSettings(AnalysisSettings):
    """Segments: shots and technical cues, such as black frames and end credits
    ("StartSegmentDetection")."""

    quotas: ClassVar[Mapping[str, float]] = {}
    policy: ClassVar[Mapping[str, Bands]] = ACCEPT_ALL
    sees: ClassVar[tuple[str, ...] | None] = (
        "Shot",
        "BlackFrames",
        "ColorBars",
        "Content",
        "EndCredits",
        "OpeningCredits",
        "Slate",
        "StudioLogo",
    )

    types: Annotated[tuple[SegmentType, ...], Field(strict=False, min_length=1), Unique("type")] = (
        "shot",
        "technical_cue",
    )
    """What is looked for. Each of the two is billed for itself (SegmentTypes)."""
    minimum_confidence: Annotated[float, Field(ge=50, le=100), AfterValidator(whole)] = 50
    """Segments below this confidence are not asked for (MinSegmentConfidence)."""
    black_pixel_threshold: Share | None = None
    """How bright a black pixel may be, 0 to 1 of the luminance range; null: the service's own, 0.2
    (MaxPixelThreshold)."""
    black_coverage: Annotated[float, Field(ge=0, le=100), AfterValidator(whole)] | None = None
    """How many per cent of a black frame's pixels are black; null: the service's own, 99
    (MinCoveragePercentage)."""

    def findings(self) -> tuple[str, ...] | None:
        """Return the names that what is looked for can lead to."""
        known = type(self).sees or ()
        shots = known[:1] if "shot" in self.types else ()
        return shots + (known[1:] if "technical_cue" in self.types else ())


class VideoAnalyses(AnalysisSet):
    """The analyses of videos that are on. An analysis is on when its key is there; `{}` takes
    defaults."""

    celebrities: Annotated[CelebritySettings | None, Field(json_schema_extra={"x-key": True})] = (
        None
    )
    """Well-known people. `{}` turns it on with its defaults."""
    faces: Annotated[FacesSettings | None, Field(json_schema_extra={"x-key": True})] = None
    """Faces. Off unless asked for: they are personal data. `{}` turns it on and keeps their
    number only."""
    labels: Annotated[VideoLabelsSettings | None, Field(json_schema_extra={"x-key": True})] = None
    """Objects, scenes and actions. `{}` turns it on with its defaults."""
    moderation: Annotated[ModerationSettings | None, Field(json_schema_extra={"x-key": True})] = (
        None
    )
    """Unwanted content. `{}` turns it on with its defaults."""
    segments: Annotated[SegmentsSettings | None, Field(json_schema_extra={"x-key": True})] = None
    """Shots and technical cues. `{}` turns it on with its defaults."""
    text: Annotated[TextSettings | None, Field(json_schema_extra={"x-key": True})] = None
    """Words and lines. `{}` turns it on with its defaults."""


class VideoSettings(Section):
    """How stored videos are analysed ("Working with stored video analysis operations", Amazon
    Rekognition). They are judged by `vision.policy`, as images are, and recorded for as long."""

    prefix: Prefix = "videos/"
    """Only objects of the images bucket whose key begins with this are analysed as videos. Ends
    with "/", and lies beside the images' prefix."""
    analyses: VideoAnalyses = VideoAnalyses(moderation=ModerationSettings())
    """The analyses that are on; at least one. Each is a job of its own, billed by the minute of
    video."""
    poll_seconds: Annotated[int, Field(ge=5, le=300)] = 30
    """How often jobs are looked at, in seconds; later on after a twentieth of the time that has
    passed, at most every five minutes."""
    give_up_hours: Annotated[int, Field(ge=1, le=168)] = 168
    """After how many hours a video whose jobs do not start or end is given up, with an alarm."""
    backlog_alarm_minutes: Annotated[int, Field(ge=1, le=10_080)] = 240
    """How long a video may wait for its jobs to start before an alarm rings. An account runs 20
    jobs at once by default ("Amazon Rekognition endpoints and quotas")."""

    def rules(self) -> Iterator[Broken]:
        """Yield that no analysis is on."""
        if not self.analyses.on():
            allowed = f"at least one of {', '.join(VideoAnalyses.model_fields)}"
            at = ("analyses",)
            yield Broken(at, {}, "no analysis is on", allowed, (at,))

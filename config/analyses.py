"""The image analyses. To add one: write its class here and give it a field in `Analyses`."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from config.analysis_fields import LabelFilters, Models, Patterns, Region, Share
from config.base import Broken, Section
from config.policy import Bands, Confidence

ACCEPT_ALL = {"*": Bands(accept=(0, 100))}


class AnalysisSettings(Section):
    """What every analysis has.

    Attributes:
        quotas: the Rekognition operations that it calls, each with the calls a second that an
            account has at least by default ("Amazon Rekognition endpoints and quotas").
        policy: its policy where the file gives none.
        price: what it costs for one image, in US dollars: the list price of us-east-1, first tier
            ("Amazon Rekognition pricing"; docs/costs.md).
        sees: for analyses whose findings have fixed names, those names; None: any.
    """

    quotas: ClassVar[Mapping[str, float]]
    policy: ClassVar[Mapping[str, Bands]]
    price: ClassVar[float] = 0.001
    sees: ClassVar[tuple[str, ...] | None] = None

    def findings(self) -> tuple[str, ...] | None:
        """Return every name that a rule of its policy may have besides "*"; None: any."""
        return self.sees

    def calls(self) -> int:
        """Return how often each of its operations is called for one image."""
        return 1


class CelebritySettings(AnalysisSettings):
    """Celebrities: well-known people ("RecognizeCelebrities")."""

    quotas: ClassVar[Mapping[str, float]] = {"RecognizeCelebrities": 5}
    policy: ClassVar[Mapping[str, Bands]] = ACCEPT_ALL

    minimum_confidence: Confidence = 50
    """Matches below this confidence count as not recognised. The operation has no such argument:
    the function leaves them out."""


class CustomLabelsSettings(AnalysisSettings):
    """Custom Labels: what models of your own see ("DetectCustomLabels")."""

    quotas: ClassVar[Mapping[str, float]] = {"DetectCustomLabels": 5}
    # A model bills by the hour that it runs.
    price: ClassVar[float] = 0
    policy: ClassVar[Mapping[str, Bands]] = ACCEPT_ALL

    models: Models
    """The models, each of which looks at every image: names of `custom_models`, or ARNs of project
    versions that you start and stop yourself. A model costs by the hour while it runs; images
    wait while one does not."""
    minimum_confidence: Confidence = 50
    """Labels below this confidence are not asked for; it takes the place of each label's assumed
    threshold from training (MinConfidence)."""
    sure_confidence: Confidence | None = None
    """Labels below this confidence are unsure. Then the policy judges the image as a whole too:
    "Unsure" is how many in a hundred labels are, "Nothing found" is 100 where there is no label.
    null: it judges labels alone."""
    maximum: int = Field(default=100, ge=1, le=1000)
    """The greatest number of labels from one model (MaxResults)."""

    def calls(self) -> int:
        """Return one call for each model."""
        return len(self.models)

    def names(self) -> tuple[str | None, ...]:
        """Return each model's name; None for one that is given by its ARN."""
        return tuple(None if model.startswith("arn:") else model for model in self.models)


class FacesSettings(AnalysisSettings):
    """Faces: that there are some, and what may be kept of them ("DetectFaces"). Nobody is
    recognised."""

    quotas: ClassVar[Mapping[str, float]] = {"DetectFaces": 5}
    policy: ClassVar[Mapping[str, Bands]] = ACCEPT_ALL
    sees: ClassVar[tuple[str, ...] | None] = (
        "Face",
        "Several faces",
        "Smile",
        "Eyes closed",
        "Mouth open",
        "Eyeglasses",
        "Sunglasses",
        "Face occluded",
    )

    attributes: Literal["default", "all"] = "default"
    """default: place, landmarks, pose and quality. all: also age range, emotions, smile, eyes and
    the like, which takes longer (Attributes)."""
    store: Literal["nothing", "counts", "attributes"] = "counts"
    """What a record keeps of faces: nothing; counts: how many there are; attributes: what
    `attributes` asked for, never the gender."""

    def findings(self) -> tuple[str, ...] | None:
        """Return the names that what is asked for and kept can lead to."""
        known = type(self).sees or ()
        return known if self.attributes == "all" else known[:2]

    def rules(self) -> Iterator[Broken]:
        """Yield details that are asked for, of which nothing is kept."""
        if self.attributes == "all" and self.store != "attributes":
            problem = f"asks for details of each face, of which store: {self.store} keeps none"
            allowed = "default; or store: attributes"
            reads = (("attributes",), ("store",))
            yield Broken(("attributes",), self.attributes, problem, allowed, reads)


class ImageQualitySettings(AnalysisSettings):
    """Image quality: sharpness, brightness and contrast ("DetectLabels", IMAGE_PROPERTIES).

    It has no settings but its policy. The policy judges what an image lacks, from 0 to 100:
    "Blurred" is 100 less the sharpness, "Dark" 100 less the brightness, "Overexposed" the
    brightness, "Flat" 100 less the contrast.
    """

    quotas: ClassVar[Mapping[str, float]] = {"DetectLabels": 5}
    price: ClassVar[float] = 0.00075
    policy: ClassVar[Mapping[str, Bands]] = {
        **ACCEPT_ALL,
        "Blurred": Bands(accept=(0, 80), review=(80, 100)),
        "Dark": Bands(accept=(0, 80), review=(80, 100)),
        "Overexposed": Bands(accept=(0, 95), review=(95, 100)),
        "Flat": Bands(accept=(0, 90), review=(90, 100)),
    }
    sees: ClassVar[tuple[str, ...] | None] = ("Blurred", "Dark", "Overexposed", "Flat")


class LabelSelection(AnalysisSettings):
    """Which labels are asked for."""

    quotas: ClassVar[Mapping[str, float]] = {}
    policy: ClassVar[Mapping[str, Bands]] = ACCEPT_ALL

    minimum_confidence: Confidence = 70
    """Labels below this confidence are not asked for (MinConfidence)."""
    include: LabelFilters = ()
    """Only these labels; empty: any (LabelInclusionFilters)."""
    exclude: LabelFilters = ()
    """Not these labels (LabelExclusionFilters)."""
    include_categories: LabelFilters = ()
    """Only labels of these categories; empty: any (LabelCategoryInclusionFilters)."""
    exclude_categories: LabelFilters = ()
    """No labels of these categories (LabelCategoryExclusionFilters)."""


class LabelsSettings(LabelSelection):
    """Labels: objects, scenes and actions ("DetectLabels", GENERAL_LABELS). One call serves
    image quality too."""

    quotas: ClassVar[Mapping[str, float]] = {"DetectLabels": 5}

    maximum: int = Field(default=10, ge=1, le=1000)
    """The greatest number of labels, the surest first (MaxLabels)."""


class ModerationSettings(AnalysisSettings):
    """Moderation: labels of content that is unwanted ("Moderating content", Rekognition)."""

    quotas: ClassVar[Mapping[str, float]] = {"DetectModerationLabels": 5}
    policy: ClassVar[Mapping[str, Bands]] = {"*": Bands(accept=(0, 60), reject=(60, 100))}

    minimum_confidence: Confidence = 60
    """Labels below this confidence are not asked for. It must not lie above the start of the
    lowest review or reject band, which it would hide ("DetectModerationLabels",
    MinConfidence)."""


class TextSettings(AnalysisSettings):
    """Text: words and lines ("DetectText"; at most 100 words an image)."""

    quotas: ClassVar[Mapping[str, float]] = {"DetectText": 5}
    policy: ClassVar[Mapping[str, Bands]] = ACCEPT_ALL

    minimum_confidence: Confidence = 80
    """Words below this confidence are left out (WordFilter)."""
    minimum_height: Share = 0
    """Words that are lower than this share of the image's height are left out (WordFilter)."""
    minimum_width: Share = 0
    """Words that are narrower than this share of the image's width are left out (WordFilter)."""
    regions: Annotated[tuple[Region, ...], Field(strict=False, max_length=10)] = ()
    """Parts of the image to look at; empty: all of it (RegionsOfInterest)."""
    patterns: Patterns = Field(default={})
    """Regular expressions by a name of yours. A line that holds one is judged by that name, so
    the reason of a decision repeats none of the text. The policy's other name is "Text": there
    is any."""
    store: Literal["counts", "text"] = "text"
    """What a record keeps: text: lines and words with their places; counts: how many there
    are."""

    def findings(self) -> tuple[str, ...] | None:
        """Return "Text" and the names of the patterns."""
        return ("Text", *self.patterns)


class AnalysisSet(Section):
    """Analyses that are on or off. An analysis is on when its key is there."""

    @field_validator("*", mode="before")
    @classmethod
    def _say_on_or_off(cls, value: Any) -> Any:
        """Refuse null: `moderation:` with nothing after it could mean on or off."""
        if value is None:
            context = {
                "problem": "null could mean on or off",
                "allowed": "{} to turn it on with its defaults; leave the key out to turn it off",
            }
            raise PydanticCustomError("shape", "{problem}; allowed: {allowed}", context)
        return value

    def on(self) -> dict[str, AnalysisSettings]:
        """Return the analyses that are on, by name, in the order of their definition."""
        found = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: settings for name, settings in found.items() if settings is not None}


class Analyses(AnalysisSet):
    """The analyses that are on. An analysis is on when its key is there; `{}` takes defaults."""

    celebrities: Annotated[CelebritySettings | None, Field(json_schema_extra={"x-key": True})] = (
        None
    )
    """Well-known people. `{}` turns it on with its defaults."""
    custom_labels: Annotated[
        CustomLabelsSettings | None, Field(json_schema_extra={"x-key": True})
    ] = None
    """What models of your own see. It needs `models`."""
    faces: Annotated[FacesSettings | None, Field(json_schema_extra={"x-key": True})] = None
    """Faces. Off unless asked for: they are personal data. `{}` turns it on and keeps their
    number only."""
    image_quality: Annotated[
        ImageQualitySettings | None, Field(json_schema_extra={"x-key": True})
    ] = None
    """Whether the picture is sharp, bright and rich in contrast. `{}` turns it on."""
    labels: Annotated[LabelsSettings | None, Field(json_schema_extra={"x-key": True})] = None
    """Objects, scenes and actions. `{}` turns it on with its defaults."""
    moderation: Annotated[ModerationSettings | None, Field(json_schema_extra={"x-key": True})] = (
        None
    )
    """Unwanted content. `{}` turns it on with its defaults."""
    text: Annotated[TextSettings | None, Field(json_schema_extra={"x-key": True})] = None
    """Words and lines. `{}` turns it on with its defaults."""


def _classes() -> dict[str, type[AnalysisSettings]]:
    """Return the settings class of each analysis, read off the fields of `Analyses`."""
    found: dict[str, type[AnalysisSettings]] = {}
    for name, field in Analyses.model_fields.items():
        options = getattr(field.annotation, "__args__", ())
        found[name] = next(option for option in options if option is not type(None))
    return found


ANALYSES: Mapping[str, type[AnalysisSettings]] = _classes()
QUOTAS: Mapping[str, float] = {
    operation: quota for one in ANALYSES.values() for operation, quota in one.quotas.items()
}

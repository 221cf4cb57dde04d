"""The settings of the retail stack: how shelves are counted, and how orders follow from counts."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.analyses import QUOTAS
from config.analysis_fields import Model
from config.base import Broken, Keys, Loc, Section, meant, whole
from config.names import ModelName, Prefix
from config.policy import Confidence
from config.vision import (
    CallsPerSecond,
    FunctionSettings,
    QueueSettings,
    RetrySettings,
    VisionSettings,
)

OPERATIONS = ("DetectCustomLabels", "DetectLabels")
_DEFAULT_QUOTAS = {name: QUOTAS[name] for name in OPERATIONS}

Label = Annotated[str, Field(min_length=1, max_length=255)]
Quotas = Annotated[
    Mapping[str, CallsPerSecond],
    Keys(OPERATIONS),
    AfterValidator(lambda given: {**_DEFAULT_QUOTAS, **given}),
]


class CountingSettings(Section):
    """How boxes become counts (docs/retail.md)."""

    minimum_confidence: Confidence = 70
    """From this confidence on a product counts, in per cent."""
    products: Annotated[Mapping[Label, Confidence], Field(max_length=1000)] = Field(default={})
    """The same for some products, by the label that the model gives them."""
    doubtful_confidence: Confidence = 50
    """Boxes from this confidence on are asked for; those that do not count make a picture doubtful.
    Not above any confidence that counts."""
    doubtful_share: Annotated[float, Field(ge=0.01, le=0.99), AfterValidator(whole)] = 0.5
    """From this share of unsure boxes on, a picture waits for a person."""
    same_box: Annotated[float, Field(gt=0, le=1), AfterValidator(whole)] = 0.5
    """Boxes that overlap by so much are one product: their intersection over their union."""
    pictures: Literal["side_by_side", "repeated"] = "side_by_side"
    """What several pictures of one reading are: side_by_side: parts of the shelf from left to
    right, whose counts add up; repeated: each shows all of it, and the most counts."""
    overlap: Annotated[float, Field(ge=0, le=0.5), AfterValidator(whole)] = 0
    """Which share of a picture's width shows again what is on the picture to its left, where it
    counts."""

    def rules(self) -> Iterator[Broken]:
        """Yield confidences that are never asked for, and an overlap that means nothing."""
        least = self.doubtful_confidence
        fields = {("minimum_confidence",): self.minimum_confidence}
        given = {("products", label): each for label, each in self.products.items()}
        for at, confidence in {**fields, **given}.items():
            if confidence < least:
                problem = f"is below doubtful_confidence ({least}), so such boxes are not asked for"
                allowed = f"a number from {least} to 100"
                yield Broken(at, confidence, problem, allowed, (at, ("doubtful_confidence",)))
        if self.overlap and self.pictures == "repeated":
            problem = "has no meaning where each picture shows the whole shelf"
            allowed = "0; or pictures: side_by_side"
            at: Loc = ("overlap",)
            yield Broken(at, self.overlap, problem, allowed, (at, ("pictures",)))


class OrderingSettings(Section):
    """How a reading becomes an order."""

    endpoint: ModelName = "replenishment"
    """The model of `hosting` that forecasts demand (docs/replenishment.md)."""
    wait_seconds: int = Field(default=900, ge=1, le=86_400)
    """How long a reading waits before the endpoint is asked again, when it does not answer or is
    not there yet, in seconds."""
    give_up_hours: int = Field(default=168, ge=1, le=720)
    """After so many hours a reading is given up, with an alarm; its counts stay."""


class RetailSettings(Section):
    """From pictures of shelves to what to order. It needs a counting model and an endpoint."""

    model: Model
    """The Custom Labels model that finds products: a name of `vision.custom_models`, or the ARN of
    a project version that you start and stop yourself."""
    prefix: Prefix = "shelves/"
    """Where shelf pictures arrive in the images bucket:
    <prefix><store>/<aisle>/<YYYYMMDDThhmmssZ>/<number>-of-<pictures>.jpg."""
    counting: CountingSettings = CountingSettings()
    """How boxes become counts."""
    ordering: OrderingSettings = OrderingSettings()
    """How a reading becomes an order."""
    quotas: Quotas = _DEFAULT_QUOTAS
    """Calls a second that shelf pictures may make of each Rekognition operation; the account's
    quota less what `vision.quotas` takes."""
    record_days: Annotated[int, Field(ge=1, le=36_500)] | None = 365
    """How many days readings and orders are kept before they expire; null keeps them for ever."""
    function: FunctionSettings = FunctionSettings()
    """The Lambda functions."""
    queue: QueueSettings = QueueSettings()
    """The queues and their dead-letter queues."""
    retry: RetrySettings = RetrySettings()
    """How long a picture whose analysis failed waits."""

    def by_name(self) -> bool:
        """Return whether the model is one of `vision.custom_models`."""
        return not self.model.startswith("arn:")


def retail_rules(
    retail: RetailSettings, vision: VisionSettings | None, hosted: Sequence[str]
) -> Iterator[Broken]:
    """Yield what of retail does not fit the rest of the environment.

    Args:
        retail: Its settings.
        vision: What looks at other images, if anything does.
        hosted: Names of the models of `hosting`.
    """
    at: Loc = ("retail", "prefix")
    other, prefix = vision.prefix if vision else "", retail.prefix
    if other and (prefix.startswith(other) or other.startswith(prefix)):
        problem = f"and vision.prefix ({other}) hold each other: pictures would be looked at twice"
        yield Broken(at, prefix, problem, "a folder beside it", (at, ("vision",)))
    models = tuple(vision.custom_models) if vision else ()
    if retail.by_name() and retail.model not in models:
        at = ("retail", "model")
        close = meant(retail.model, models)
        problem = "is no model of custom_models" + (f"; did you mean {close}?" if close else "")
        allowed = f"{', '.join(models) or 'a name of custom_models'}; or a project version's ARN"
        yield Broken(at, retail.model, problem, allowed, (at, ("vision",)))
    endpoint = retail.ordering.endpoint
    if endpoint not in hosted:
        at = ("retail", "ordering", "endpoint")
        close = meant(endpoint, hosted)
        problem = "is no model of hosting" + (f"; did you mean {close}?" if close else "")
        allowed = ", ".join(hosted) or "a model of hosting, which has none"
        yield Broken(at, endpoint, problem, allowed, (at, ("hosting",)))

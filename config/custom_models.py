"""The settings of Custom Labels models of one's own: trained, gated, started on a lease."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from config.base import Broken, Section, whole
from config.names import Prefix

Score = Annotated[float, Field(ge=0, le=1), AfterValidator(whole)]


class CustomModelGate(Section):
    """What a trained version must reach on the test images to go live."""

    f1: Score = 0.8
    """The least F1 score over all labels, 0 to 1."""
    recall: Score = 0.5
    """The least recall of each label, 0 to 1: how many of its images the model finds."""


class CustomModelSettings(Section):
    """One Custom Labels model."""

    prefix: Prefix | None = None
    """Folder in the data bucket that holds `train.manifest`, `test.manifest` and every image they
    name; null: custom-labels/<name>/."""
    gate: CustomModelGate = CustomModelGate()
    """What a trained version must reach to go live."""
    least_images: int = Field(default=10, ge=1, le=1000)
    """How many training images each label must have. Amazon takes one and advises ten ("Preparing
    images")."""
    lease_minutes: int = Field(default=60, ge=5, le=1440)
    """How many minutes a model runs on after its last use. Starting it takes ten minutes or more,
    and it bills by the hour."""
    inference_units: int = Field(default=1, ge=1, le=5)
    """How many inference units run at least. Each bills by the hour (MinInferenceUnits)."""
    most_inference_units: Annotated[int, Field(ge=1, le=5)] | None = None
    """Up to how many Amazon adds under load (MaxInferenceUnits); null: none."""
    alarm_hours: int = Field(default=12, ge=1, le=24)
    """An alarm rings when the model ran in so many of the last 24 hours."""

    def rules(self) -> Iterator[Broken]:
        """Yield a greatest number of inference units below the least."""
        most = self.most_inference_units
        if most is not None and most < self.inference_units:
            problem = f"is less than inference_units ({self.inference_units})"
            allowed = f"a whole number from {self.inference_units} to 5, or null"
            yield Broken(("most_inference_units",), most, problem, allowed)

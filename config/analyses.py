"""The image analyses. To add one: write its class here and give it a field in `Analyses`."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from config.base import Section
from config.policy import Bands, Confidence


class AnalysisSettings(Section):
    """What every analysis has.

    Attributes:
        quotas: the Rekognition operations that it calls, each with the calls a second that an
            account has by default ("Amazon Rekognition endpoints and quotas"; the lowest of
            all Regions).
        policy: its policy where the file gives none; None: the file must give one.
    """

    quotas: ClassVar[Mapping[str, float]]
    policy: ClassVar[Mapping[str, Bands] | None] = None


class ModerationSettings(AnalysisSettings):
    """Moderation: labels of content that is unwanted ("Moderating content", Rekognition)."""

    quotas: ClassVar[Mapping[str, float]] = {"DetectModerationLabels": 5}
    policy: ClassVar[Mapping[str, Bands] | None] = {"*": Bands(accept=(0, 60), reject=(60, 100))}

    minimum_confidence: Confidence = 60
    """Labels below this confidence are not asked for. It must not lie above the start of the
    lowest review or reject band, which it would hide ("DetectModerationLabels",
    MinConfidence)."""


class Analyses(Section):
    """The analyses that are on. An analysis is on when its key is there; `{}` takes defaults."""

    moderation: Annotated[ModerationSettings | None, Field(json_schema_extra={"x-key": True})] = (
        None
    )
    """Unwanted content. `{}` turns it on with its defaults."""

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

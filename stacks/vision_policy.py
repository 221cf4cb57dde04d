"""The confidence policy as constructs take it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from config import VisionSettings


def policy_of(
    vision: VisionSettings, analyses: Iterable[str]
) -> dict[str, dict[str, Mapping[str, Sequence[float]]]]:
    """The part of the policy that judges some analyses, as plain data.

    Args:
        vision: How images and videos are judged.
        analyses: Names of analyses.
    """
    return {
        name: {label: bands.given() for label, bands in vision.policy[name].items()}
        for name in analyses
    }

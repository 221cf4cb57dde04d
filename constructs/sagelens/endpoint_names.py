"""The names by which a release finds what a hosting stack holds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class EndpointNames:
    """Names that follow from an endpoint's own, so that stacks need no reference to each other.

    CloudFormation makes up the names of models and endpoint configurations from their logical
    ids; these carry the endpoint's name, so that policies and clean-up can tell one endpoint's
    from another's.

    Args:
        endpoint: The endpoint's name.
    """

    endpoint: str

    @property
    def stem(self) -> str:
        """The endpoint's name as a logical id: ``sagelens-dev-churn`` → ``SagelensDevChurn``."""
        words = re.findall(r"[A-Za-z0-9]+", self.endpoint)
        return "".join(word[0].upper() + word[1:] for word in words)

    @property
    def configuration(self) -> str:
        """Logical id of the endpoint configuration."""
        return f"{self.stem}Config"

    @property
    def models(self) -> str:
        """What the logical ids of its models begin with."""
        return f"{self.stem}Model"

    def model(self, variant: str) -> str:
        """Logical id of a variant's model."""
        return f"{self.models}{EndpointNames(variant).stem}"

    @property
    def monitor(self) -> str:
        """Logical id of what Model Monitor's jobs are, where it watches the endpoint."""
        return f"{self.stem}Monitor"

    def error_alarm(self, variant: str) -> str:
        """Name of the alarm on a variant's answers of 5xx."""
        return f"{self.endpoint}-{variant}-errors"

    def latency_alarm(self, variant: str) -> str:
        """Name of the alarm on a variant's latency."""
        return f"{self.endpoint}-{variant}-latency"

    def rollback_alarms(self, variants: Sequence[str]) -> list[str]:
        """Names of the alarms that roll a deployment back, two a variant."""
        return [
            name for each in variants for name in (self.error_alarm(each), self.latency_alarm(each))
        ]

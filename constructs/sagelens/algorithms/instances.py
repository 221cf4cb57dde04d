"""What an instance type says of itself by its name, and which suit an algorithm."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from .problems import Problem

Processor = Literal["cpu", "gpu"]

INSTANCE_TYPE = re.compile(r"ml\.([a-z0-9-]+)\.([a-z0-9]+)")


def family(instance_type: str) -> str | None:
    """The family of "ml.m5.xlarge" ("m5"), or None if this is no such name."""
    found = INSTANCE_TYPE.fullmatch(instance_type)
    return found[1] if found else None


def processor(instance_type: str) -> Processor:
    """Which of an algorithm's images serves an instance type: families g and p carry GPUs."""
    return "gpu" if (family(instance_type) or "")[:1] in ("g", "p") else "cpu"


def is_arm(instance_type: str) -> bool:
    """Whether an instance type has an Arm processor, as AWS Graviton is."""
    return _is_arm(family(instance_type) or "")


def _is_arm(name: str) -> bool:
    """Graviton families have a g after their generation, such as m7g and c6gn."""
    return re.fullmatch(r"[a-z]+[0-9]+g[a-z]*", name) is not None and name[0] in "acmrtx"


@dataclass(frozen=True)
class Compute:
    """What an algorithm can run on.

    Attributes:
        several_instances: Whether it can train on more than one.
        gpu: Whether it can make use of GPUs.
        gpu_families: The GPU families that its page names; empty: the page names none.
        refused: Families that its page rules out, with the reason.
        advice: What its page advises on families, by family.
    """

    several_instances: bool
    gpu: bool
    gpu_families: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict[str, str])
    advice: Mapping[str, str] = field(default_factory=dict[str, str])

    def problems(self, instance_type: str, count: int = 1) -> Iterator[Problem]:
        """Yield what makes training on ``count`` instances of a type impossible."""
        name = family(instance_type)
        if name is None:
            yield Problem("instance_type", f"got {instance_type}", "such as ml.m5.xlarge")
            return
        for refused, reason in self._refusals(name):
            if refused:
                yield Problem("instance_type", f"got {instance_type}: {reason}", self._allowed())
        if count < 1 or (count > 1 and not self.several_instances):
            most = "1 or more" if self.several_instances else "1"
            yield Problem("instance_count", f"got {count}", most)

    def _refusals(self, name: str) -> Iterator[tuple[bool, str]]:
        yield name == "t2", "this family is for notebooks and hosting only"
        yield name.startswith(("trn", "inf")), "the image is not built for AWS Neuron"
        yield _is_arm(name), "the image is not built for Arm processors"
        yield name in self.refused, self.refused.get(name, "")
        yield name[0] in "gp" and not self.gpu, "the algorithm makes no use of GPUs"

    def _allowed(self) -> str:
        gpus = f", GPU families {', '.join(self.gpu_families) or 'g and p'}" if self.gpu else ""
        return f"x86 families such as m5, c5, r5{gpus}"

    def remarks(self, instance_type: str) -> Iterator[str]:
        """Yield what the algorithm's page advises against, though it may work."""
        name = family(instance_type) or ""
        if name in self.advice:
            yield f"{instance_type}: {self.advice[name]}"
        if name[:1] in ("g", "p") and self.gpu_families and name not in self.gpu_families:
            yield f"{instance_type}: its page names {', '.join(self.gpu_families)} only"

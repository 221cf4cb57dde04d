"""Numbers as SageMaker's string-to-string map wants them."""

from __future__ import annotations

import math
import re
from decimal import Decimal

WHOLE = re.compile(r"[+-]?[0-9]{1,300}")
LARGEST = 10**300
"""Beyond it lies no sensible value, and Python refuses to write numbers of 4,301 digits."""
REAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


def whole(value: object) -> int | None:
    """Read a whole number, also one written as text; None if it is not one (5.0 and True are not).

    A container reads such a value with a parser for whole numbers, which "5.0" would break.
    """
    match value:
        case bool():
            return None
        case int():
            return value if abs(value) <= LARGEST else None
        case str() if WHOLE.fullmatch(value.strip()):
            return int(value)
        case _:
            return None


def real(value: object) -> float | int | None:
    """Read a finite number, also one written as text; None if it is not one."""
    match value:
        case bool():
            return None
        case int():
            return value if abs(value) <= LARGEST else None
        case float():
            return value if math.isfinite(value) else None
        case str() if REAL.fullmatch(value.strip()):
            number = float(value)
            return number if math.isfinite(number) else None
        case _:
            return None


def text(value: float) -> str:
    """Write a number in plain decimals, so that it reads back as the same number.

    Python writes 0.00001 as 1e-05. SageMaker's pages use such notation only for the ranges of a
    tuning job, and the algorithms but XGBoost are closed, so plain decimals stay on safe ground.
    A double needs fewer than 350 characters; a hyperparameter may have 2,500.
    """
    number = Decimal(repr(value))
    return str(int(number)) if number == int(number) else format(number, "f")

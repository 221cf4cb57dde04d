"""Decide kept readings again, by the very code that decided them, and compare.

The decision is pure (`lambda_src/retail/orders.py`): a document holds all that it follows from, so
it needs neither AWS nor a model.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FUNCTIONS = Path(__file__).parent.parent / "lambda_src"
FORMAT = "1"


class WrongDocument(ValueError):
    """A document is none of a reading."""


@dataclass(frozen=True)
class Replayed:
    """What came of deciding again.

    Args:
        same: How many documents came to the same orders.
        different: A line for each of the others.
        unanswered: How many hold no answer of the endpoint, and so no order.
    """

    same: int
    different: list[str]
    unanswered: int


def replay(documents: Iterable[tuple[str, Mapping[str, Any]]]) -> Replayed:
    """Decide each document again.

    Args:
        documents: Names and contents.

    Raises:
        WrongDocument: One of them is none, or of another format.
    """
    if str(FUNCTIONS) not in sys.path:
        sys.path.insert(0, str(FUNCTIONS))
    from retail.orders import decide

    same, unanswered, different = 0, 0, list[str]()
    for name, document in documents:
        if document.get("format") != FORMAT:
            raise WrongDocument(f"{name} is no kept reading of format {FORMAT}")
        if "orders" not in document:
            unanswered += 1
            continue
        now, then = decide(document).fields(), document["orders"]
        if now == then:
            same += 1
        else:
            different.append(f"{name}: ordered {_words(then)}, now {_words(now)}")
    return Replayed(same, different, unanswered)


def _words(orders: Mapping[str, Any]) -> str:
    lines = [f"{each['quantity']} {each['product']}" for each in orders["lines"]]
    return ", ".join(lines) or "nothing"

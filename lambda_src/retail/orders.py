"""From counts and forecasts to what to order. Pure: no AWS, no clock, so it can be done again.

A document holds all that an order follows from: the event, what is planned for the shelf, what is
on its way, the request to the model and its answer. `decide` reads nothing else.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, cast

Document = Mapping[str, Any]
# Of the sums of floats that come by JSON.
_TINY = 1e-9


class BadAnswer(ValueError):
    """The endpoint's answer is not one to the request that was sent."""


@dataclass(frozen=True)
class Planned:
    """A product that belongs on a shelf, and the rules of its orders.

    label: what the counting model calls it. product: its name in sales and forecasts.
    lead_time_days: from an order to its arrival. pack_size: it is ordered in packs of so many.
    minimum_order: the fewest that are delivered. maximum_shelf: the most that shelf and back room
    hold, None without a limit. safety_stock: kept beyond the forecast. backroom: how many lie where
    no picture is taken.
    """

    label: str
    product: str
    lead_time_days: int = 1
    pack_size: int = 1
    minimum_order: int = 0
    maximum_shelf: int | None = None
    safety_stock: int = 0
    backroom: int = 0


@dataclass(frozen=True)
class Line:
    """What is ordered of one product, and why.

    stock: on the shelf and in the back room. expected: units wanted until the next order but one
    arrives, in half of all cases; wanted: the same at the model's service level. because: which
    rules changed the quantity, or why it is 0.
    """

    product: str
    label: str
    counted: int
    stock: int
    on_order: int
    expected: float
    wanted: float
    quantity: int
    because: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """What came of a reading: a line for each product with a forecast, what was left out and why,
    and all orders that have not arrived."""

    lines: Sequence[Line]
    left_out: Sequence[Mapping[str, str]]
    open: Sequence[Mapping[str, Any]]

    def fields(self) -> dict[str, Any]:
        """Return it as plain data."""
        lines = [{**asdict(line), "because": list(line.because)} for line in self.lines]
        return {"lines": lines, "left_out": list(self.left_out), "open": list(self.open)}


def decide(document: Document) -> Decision:
    """Return what a document's reading comes to.

    Raises BadAnswer if the answer does not fit the request.
    """
    plan = [Planned(**each) for each in document["plan"]]
    counts = {each["product"]: int(each["count"]) for each in document["event"]["products"]}
    left_out = [
        {"product": label, "why": "not_in_plan"}
        for label in sorted(counts.keys() - {each.label for each in plan})
    ]
    lines: list[Line] = []
    for planned, asked, answer in _answers(plan, document):
        if answer["status"] != "forecast":
            left_out.append({"product": planned.product, "why": str(answer["status"])})
            continue
        counted = counts.get(planned.label, 0)
        lines.append(order(planned, counted, int(asked["on_order"]), answer))
    today = str(document["event"]["read_at"])[:10]
    still = [each for each in document["open"] if each["due"] > today]
    return Decision(lines, left_out, [*still, *_ordered(plan, lines, today)])


def on_order(open_orders: Sequence[Mapping[str, Any]], product: str, today: str) -> int:
    """Return the units of a product that were ordered and arrive after `today` (ISO date)."""
    due = (each for each in open_orders if each["product"] == product and each["due"] > today)
    return sum(int(each["quantity"]) for each in due)


def order(planned: Planned, counted: int, coming: int, forecast: Mapping[str, Any]) -> Line:
    """Return the line of one product.

    First what is wanted at the service level and the safety stock, less what is there or on its
    way; then whole packs; then the least that is delivered; then what shelf and back room will hold
    when it arrives, in whole packs again.
    """
    stock = counted + planned.backroom
    expected = float(forecast["demand"]["p50"])
    wanted = wanted_of(forecast)
    need = wanted + planned.safety_stock - stock - coming
    because: list[str] = []
    quantity = _packs_up(need, planned)
    if quantity == 0:
        because.append("enough")
    elif quantity < planned.minimum_order:
        quantity = _packs_up(planned.minimum_order, planned)
        because.append("minimum_order")
    room = _room(planned, stock + coming, expected, int(forecast["horizon_days"]))
    if quantity > room:
        quantity = int(room // planned.pack_size) * planned.pack_size
        because.append("maximum_shelf")
        if quantity < planned.minimum_order:
            quantity = 0
    return Line(
        planned.product,
        planned.label,
        counted,
        stock,
        coming,
        expected,
        wanted,
        quantity,
        tuple(because),
    )


def wanted_of(forecast: Mapping[str, Any]) -> float:
    """Return the demand at the service level that the model is made for."""
    name = f"p{100 * float(forecast['service_level']):.0f}"
    if name not in forecast["demand"]:
        raise BadAnswer(f"the forecast has no quantile {name} for its service level")
    return float(forecast["demand"][name])


def _answers(
    plan: Sequence[Planned], document: Document
) -> list[tuple[Planned, Mapping[str, Any], Mapping[str, Any]]]:
    """Each planned product with what was asked about it and answered, in the plan's order."""
    asked = _list(document["request"], "instances")
    answers = _list(document["answer"], "predictions")
    names = ("store", "product", "date")
    same = [[each[name] for name in names] for each in asked] == [
        [each.get(name) for name in names] for each in answers
    ]
    if not same:
        raise BadAnswer(
            f"{len(asked)} products were asked about and {len(answers)} answered, or others"
        )
    return list(zip(plan, asked, answers, strict=True))


def _list(holder: Mapping[str, Any] | None, name: str) -> list[Mapping[str, Any]]:
    found: object = holder.get(name) if holder else None
    return cast("list[Mapping[str, Any]]", found) if isinstance(found, list) else []


def _packs_up(units: float, planned: Planned) -> int:
    return max(0, math.ceil(units / planned.pack_size - _TINY)) * planned.pack_size


def _room(planned: Planned, there: int, expected: float, horizon_days: int) -> float:
    """How many fit in when the order arrives: until then some of what is there is sold."""
    if planned.maximum_shelf is None:
        return math.inf
    sold = expected * min(1.0, planned.lead_time_days / horizon_days)
    return max(0.0, planned.maximum_shelf - max(0.0, there - sold) + _TINY)


def _ordered(plan: Sequence[Planned], lines: Sequence[Line], today: str) -> list[dict[str, Any]]:
    days = {each.product: each.lead_time_days for each in plan}
    return [
        {
            "product": line.product,
            "quantity": line.quantity,
            "due": str(date.fromisoformat(today) + timedelta(days=days[line.product])),
        }
        for line in lines
        if line.quantity
    ]

"""Made-up sales and the plan of a shelf, and the picture of what was ordered."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from rehearsal.process import PROJECT

Rows = list[dict[str, str]]

STORE, AISLE, DAY = "1", "drinks", "2026-03-02"
HISTORY_DAYS = 28
PACKS = {"cola": 12, "sparkling-water": 6, "orange-juice": 6, "oat-milk": 8}
UNKNOWN = "ginger-ale"
"""On the plan, but in no training data."""


def made_up_sales(path: Path) -> Rows:
    """Let the generator write its table, as a person at a shell would call it.

    Args:
        path: The CSV file; its last day is the one before `DAY`.
    """
    command = [sys.executable, "-m", "ml_src.replenishment.generate", "--output", str(path)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_shelf(rows: Rows, folder: Path) -> tuple[Path, Path]:
    """Write plan and latest sales of the shelf as `tools.shelves` reads them; return both files.

    Args:
        rows: The generator's.
        folder: Where to write.
    """
    own = [each for each in rows if each["store_nbr"] == STORE and each["family"] in PACKS]
    last = sorted({each["date"] for each in own})[-HISTORY_DAYS:]
    lead = {each["family"]: each["lead_time_days"] for each in own}
    plan, sales = folder / "plan.csv", folder / "shelf-sales.csv"
    planned = [(STORE, AISLE, name, lead[name], pack) for name, pack in PACKS.items()]
    columns = ("store", "aisle", "product", "lead_time_days", "pack_size")
    _write(plan, columns, [*planned, (STORE, AISLE, UNKNOWN, "2", 6)])
    # What was sold on a day that ended with nothing left says less than what was wanted.
    sold = [
        (
            each["date"],
            STORE,
            each["family"],
            "" if each["stock"] == "0" else each["sales"],
            each["onpromotion"],
        )
        for each in own
        if each["date"] in last
    ]
    _write(sales, ("date", "store", "product", "sales", "promotion"), sold)
    return plan, sales


def _write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])


def side_by_side(
    pictures: Sequence[bytes], document: Mapping[str, Any], lines: Sequence[Mapping[str, Any]]
) -> bytes:
    """Draw pictures of a shelf beside what is foretold and ordered of its products, as PNG.

    Args:
        pictures: With their boxes, from left to right.
        document: The kept document of the reading: what the endpoint was asked and answered.
        lines: Of the order.
    """
    from matplotlib.figure import Figure

    figure: Any = Figure(figsize=(14, 7), dpi=110, layout="constrained")
    axes: Any = figure.subplot_mosaic(
        [[f"picture {number}", "forecast"] for number in range(len(pictures))],
        width_ratios=[1, 1.3],
    )
    for number, content in enumerate(pictures):
        with Image.open(io.BytesIO(content)) as opened:
            axes[f"picture {number}"].imshow(opened.convert("RGB"))
        axes[f"picture {number}"].axis("off")
    answers = {each["product"]: each for each in document["answer"]["predictions"]}
    _forecast(axes["forecast"], lines, answers)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def _forecast(axes: Any, lines: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> None:
    """A row a product: demand from p10 to p95, and what covers it."""
    names = [str(line["product"]) for line in lines]
    for at, line in enumerate(lines):
        demand = answers[line["product"]]["demand"]
        stock, quantity = float(line["stock"]), float(line["quantity"])
        first = at == 0
        axes.barh(at - 0.18, stock, 0.3, color="#8a97a8", label="on the shelf" if first else None)
        axes.barh(
            at - 0.18, quantity, 0.3, stock, color="#2e7d32", label="ordered" if first else None
        )
        axes.plot(
            (demand["p10"], demand["p95"]),
            (at + 0.18, at + 0.18),
            color="#0b6bcb",
            linewidth=3,
            label="demand, 10 to 95 % sure" if first else None,
        )
        axes.plot(demand["p50"], at + 0.18, "o", color="#0b6bcb", label="median" if first else None)
        wanted = float(line["wanted"])
        axes.plot(wanted, at + 0.18, "|", markersize=16, color="#a3211f",
                  label="wanted at the service level" if first else None)  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel("units until the order after this one arrives")
    axes.legend(loc="best", frameon=False)

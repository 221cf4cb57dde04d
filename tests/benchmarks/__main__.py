"""``make bench``: every figure, its aim, and whether it is reached, from one run."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmarks import (
    analyses_side_by_side,
    backfill,
    backlog,
    handler_import,
    serving,
    synth,
    training,
)
from tests.benchmarks.measure import ROOT, Figure

BENCHMARKS = {
    "import": handler_import,
    "analyses": analyses_side_by_side,
    "synth": synth,
    "backlog": backlog,
    "backfill": backfill,
    "training": training,
    "serving": serving,
}


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all, print a table and write build/bench.json."""
    console = Console()
    found: list[Figure] = []
    for name in names or list(BENCHMARKS):
        with console.status(f"{name} …"):
            found += BENCHMARKS[name].figures()
    console.print(_table(found))
    output = Path(ROOT, "build", "bench.json")
    output.parent.mkdir(exist_ok=True)
    output.write_text(json.dumps([asdict(figure) for figure in found], indent=2) + "\n")


def _table(found: list[Figure]) -> Table:
    table = Table("figure", "measured", "aim", "", "how")
    for figure in found:
        sign = "≥" if figure.at_least else "≤"
        aim = "" if figure.aim is None else f"{sign} {figure.aim:g}"
        verdict = {None: "", True: "reached", False: "[bold red]missed[/]"}[figure.reached]
        measured = f"{figure.value:.3f} {figure.unit}".strip()
        table.add_row(figure.name, measured, aim, verdict, figure.detail)
    return table


if __name__ == "__main__":
    main(sys.argv[1:])

"""Runs the code cells of a notebook one after another, in one namespace.

    run_notebook.py NOTEBOOK NAME...

The last line that it prints is the values of these names, as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(path: Path, names: list[str]) -> None:
    """Run them; an error names its cell."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{path.name}:{cell['id']}", "exec"), namespace)
    print(json.dumps({name: namespace[name] for name in names}, default=plain))


def plain(value: Any) -> Any:
    """A table column by column, anything else as text."""
    return value.to_dict() if hasattr(value, "to_dict") else str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])

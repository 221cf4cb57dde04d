"""Runs the code cells of a notebook one after another, in one namespace."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def main(path: Path) -> None:
    """Run them; an error names its cell."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), f"{path.name}:{cell['id']}", "exec"), namespace)
    facts = {name: namespace.get(name) for name in ("pipeline_name", "data_url", "plots_url")}
    facts["status"] = namespace["package"]["ModelApprovalStatus"]
    print(json.dumps(facts))


if __name__ == "__main__":
    main(Path(sys.argv[1]))

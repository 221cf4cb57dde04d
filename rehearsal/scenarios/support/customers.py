"""Made-up customers, from the generator of the model that learns from them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from rehearsal.process import PROJECT


def customers(*, rows: int, seed: int, unseen: float = 0.0) -> bytes:
    """The table that the generator writes, as a person at a shell would call it.

    Args:
        rows: How many customers.
        seed: Of the draw.
        unseen: Share of customers with a category that training never saw, from 0 to 1.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "customers.csv"
        asked = ["--rows", str(rows), "--seed", str(seed), "--unseen", str(unseen)]
        command = [sys.executable, "-m", "ml_src.churn.generate", *asked, "--output", str(path)]
        subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
        return path.read_bytes()

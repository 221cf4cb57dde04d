"""Makes a small table whose label its first column foretells; the label comes first."""

import random
from pathlib import Path

root = Path(__file__).resolve().parents[2]
dice = random.Random(int((root / "input" / "seed.txt").read_text()))


def row() -> str:
    """One line of CSV."""
    label = dice.randrange(2)
    return f"{label},{label + dice.gauss(0, 0.6):.4f},{dice.random():.4f}"


for name, count in (("train", 600), ("validation", 200), ("test", 200)):
    folder = root / name
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.csv").write_text("\n".join(row() for _ in range(count)) + "\n")

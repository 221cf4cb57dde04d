"""The small pieces that report.html is made of."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

from ml_src.shared.drift import plots

Cells = Sequence[str]
SHOWN = 90  # pixels of the page for an inch of a picture, which has more, for sharp screens


def listed(title: str, items: Iterable[str], tint: str = "") -> str:
    """Give a panel with a list, or nothing for an empty one; titles are markup, items are not."""
    lines = "".join(f"<li>{escape(item)}</li>" for item in items)
    kind = f"panel {tint}".strip()
    return f'<section class="{kind}"><h3>{title}</h3><ul>{lines}</ul></section>' if lines else ""


def table(head: Cells, rows: Iterable[Cells], figures: int) -> str:
    """Give a table; from column `figures` on the cells are numbers."""

    def line(cells: Cells, tag: str) -> str:
        kinds = [' class="figure"' if place >= figures else "" for place in range(len(cells))]
        return "".join(f"<{tag}{k}>{cell}</{tag}>" for k, cell in zip(kinds, cells, strict=True))

    body = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in rows)
    return f"<table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody></table>"


def picture(draw: plots.Draw, size: tuple[float, float], words: str) -> str:
    """Give a picture that follows the page into the dark; `size` is in inches."""
    light, dark = (
        f"data:image/png;base64,{base64.b64encode(png).decode()}" for png in plots.both(draw, size)
    )
    return (
        f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
        f'<img class="plot" width="{size[0] * SHOWN:.0f}" src="{light}" alt="{escape(words)}">'
        "</picture>"
    )


def badge(tint: str, word: str) -> str:
    """Give a word on a tint: `good`, `bad` or none."""
    return f'<span class="badge {tint}">{word}</span>'


def drift(drifted: bool) -> str:
    """Give the badge of what has drifted; nothing for the rest."""
    return badge("bad", "Drifted") if drifted else ""


def figure(text: str, over: bool) -> str:
    """Give a figure, marked where it is over its threshold."""
    return f'<span class="over">{text}</span>' if over else text


def share(value: float | None) -> str:
    """Give a share in percent, a dash for none."""
    return "-" if value is None else f"{value:.1%}"


def plain(value: float | None) -> str:
    """Give a figure with two decimals, a dash for none."""
    return "-" if value is None else f"{value:.2f}"


def time(text: str) -> str:
    """Give an ISO 8601 time as people write it."""
    return escape(text.replace("T", " ").replace("Z", " UTC"))

"""The cards of the report: images with their labels, tables, figures and checks."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from rehearsal.report.model import (
    WORDS,
    Badge,
    Card,
    Cell,
    Check,
    ChecksCard,
    FigureCard,
    ImageCard,
    Label,
    Piece,
    TableCard,
    TimelineCard,
)

# A sign beside each word, so that no decision is told by colour alone.
_SIGNS = {
    "accept": '<path d="M2.5 6.5 5 9l4.5-6"/>',
    "passed": '<path d="M2.5 6.5 5 9l4.5-6"/>',
    "review": '<circle cx="6" cy="6" r="4.2"/><path d="M6 3.6V6l1.8 1.2"/>',
    "reject": '<path d="m3 3 6 6m0-6-6 6"/>',
    "failed": '<path d="m3 3 6 6m0-6-6 6"/>',
    "unusable": '<path d="M2.5 6h7"/>',
}


def badge(kind: str, word: str | None = None) -> str:
    """Return a decision or status as a coloured word with a sign.

    Args:
        kind: accept, review, reject, unusable, passed or failed.
        word: the word to show; the usual one when None.
    """
    known = kind if kind in _SIGNS else "unusable"
    text = escape(word or WORDS.get(kind, kind.capitalize()))
    return (
        f'<span class="badge {known}"><svg width="12" height="12" viewBox="0 0 12 12" fill="none"'
        ' stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"'
        f' aria-hidden="true">{_SIGNS[known]}</svg>{text}</span>'
    )


def render_cards(cards: Sequence[Card]) -> str:
    """Return cards as HTML: pictures side by side, tables and checks over the whole width.

    Image cards without a picture are gathered in one table after the others.
    """
    if not cards:
        return ""
    bare = [card for card in cards if isinstance(card, ImageCard) and card.picture is None]
    rest = [card for card in cards if card not in bare]
    pictures = [card for card in rest if isinstance(card, ImageCard | FigureCard)]
    lists = [card for card in rest if not isinstance(card, ImageCard | FigureCard)]
    ordered = [*pictures, *([_gather(bare)] if bare else []), *lists]
    return f'<div class="grid">{"".join(_card(card) for card in ordered)}</div>'


def _gather(bare: Sequence[ImageCard]) -> TableCard:
    return TableCard(
        title="Files that could not be analysed",
        columns=("File", "Decision", "Why", "Took"),
        rows=[
            (card.key, Badge(card.decision), f"{card.reason} {card.note}".strip(), _took(card))
            for card in bare
        ],
        note="Recorded with their reason and announced like any other; not retried, and not in"
        " the dead-letter queue.",
    )


def _took(card: ImageCard) -> str:
    return "" if card.milliseconds is None else f"{card.milliseconds:,.0f} ms"


def _card(card: Card) -> str:
    if isinstance(card, ImageCard):
        return _image(card)
    if isinstance(card, TableCard):
        return _table(card)
    if isinstance(card, FigureCard):
        return _figure(card)
    return _timeline(card) if isinstance(card, TimelineCard) else _checks(card)


def text(content: str) -> str:
    """Return text escaped for HTML, with numbers and their units kept on one line."""
    return escape(content).replace(" %", "&nbsp;%").replace(" ms", "&nbsp;ms")


def data_uri(content: bytes, media_type: str) -> str:
    """Return bytes as a data: address, so that the page needs no other file."""
    return f"data:{escape(media_type)};base64,{base64.b64encode(content).decode('ascii')}"


def _image(card: ImageCard) -> str:
    parts = [
        f'<div class="title"><h3>{text(card.title)}</h3>{badge(card.decision)}</div>',
        f'<p class="key"><code>{text(card.key)}</code></p>',
        f'<p class="reason">{text(card.reason)}</p>',
        _labels(card.labels),
        f'<p class="note">{text(card.note)}</p>' if card.note else "",
        _time(card.milliseconds),
    ]
    return f'<article class="card">{_shot(card)}<div class="body">{"".join(parts)}</div></article>'


def _shot(card: ImageCard) -> str:
    if card.picture is None:
        return ""
    source = data_uri(card.picture, card.media_type)
    image = f'<img src="{source}" alt="{escape(card.alt or card.title)}" loading="lazy">'
    if card.decision != "reject":
        return f'<figure class="shot">{image}</figure>'
    # No script: focus reveals as hovering does, and tapping focuses.
    return (
        f'<figure class="shot veiled" tabindex="0" aria-label="Rejected picture, shown blurred'
        f' until focused: {escape(card.alt or card.title)}">{image}'
        '<span aria-hidden="true">Hover, focus or tap to see</span></figure>'
    )


def _labels(labels: Sequence[Label]) -> str:
    if not labels:
        return ""
    rows = "".join(_label(label) for label in labels)
    places = sorted({(mark.at, mark.decision) for label in labels for mark in label.marks})
    words = ", ".join(f"{WORDS.get(word, word).lower()} from {at:g} %" for at, word in places)
    legend = f'<p class="legend"><i></i>{text(words)}</p>' if words else ""
    return f'<ul class="labels">{rows}</ul>{legend}'


def _label(label: Label) -> str:
    reached = "accept"
    for mark in sorted(label.marks, key=lambda mark: mark.at):
        if label.confidence >= mark.at:
            reached = mark.decision
    marks = "".join(f'<i class="mark" style="left:{_share(mark.at)}%"></i>' for mark in label.marks)
    parent = f"<br><small>in {text(label.parent)}</small>" if label.parent else ""
    colour = f"over-{escape(reached)}" if label.marks else ""
    return (
        f'<li><div class="row"><span>{text(label.name)}{parent}</span>'
        f"<b>{label.confidence:.1f}&nbsp;%</b></div>"
        f'<div class="scale" aria-hidden="true"><div class="fill {colour}"'
        f' style="width:{_share(label.confidence)}%"></div>{marks}</div></li>'
    )


def _share(value: float) -> str:
    return f"{min(100.0, max(0.0, value)):.1f}"


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return ""
    return f'<p class="time">Decided {milliseconds:,.0f}&nbsp;ms after the upload</p>'


def _table(card: TableCard) -> str:
    return _listed(card.title, card.note, "", _rows(card))


def _listed(title: str, note: str, picture: str, table: str) -> str:
    told = f'<p class="note">{text(note)}</p>' if note else ""
    return (
        f'<div class="card wide"><div class="body"><h3>{text(title)}</h3>{told}{picture}'
        f'<div class="scroll">{table}</div></div></div>'
    )


def _rows(card: TableCard) -> str:
    head = "".join(f'<th scope="col">{text(column)}</th>' for column in card.columns)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td data-column="{escape(column)}"><span>{_cell(cell)}</span></td>'
            for column, cell in zip(card.columns, row, strict=True)
        )
        + "</tr>"
        for row in card.rows
    )
    return f'<table class="stacked"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def _cell(cell: Cell) -> str:
    return badge(cell.value) if isinstance(cell, Badge) else text(cell)


def _figure(card: FigureCard) -> str:
    source = data_uri(card.picture, card.media_type)
    note = f'<p class="note">{text(card.note)}</p>' if card.note else ""
    return (
        f'<article class="{"card wide" if card.wide else "card"}">'
        f'<figure class="{"shot whole" if card.wide else "shot"}">'
        f'<img src="{source}" alt="{escape(card.alt)}"'
        f' style="object-fit:contain"></figure><div class="body"><h3>{text(card.title)}</h3>'
        f"{note}</div></article>"
    )


def _checks(card: ChecksCard) -> str:
    items = "".join(_check(check) for check in card.checks)
    return (
        f'<div class="card wide"><div class="body"><h3>{text(card.title)}</h3>'
        f'<ul class="checks">{items}</ul></div></div>'
    )


def _check(check: Check) -> str:
    status = badge("passed") if check.passed else badge("failed")
    found = f'<p class="note">{text(check.found)}</p>' if check.found else ""
    return f"<li>{status}<p>{text(check.promise)}</p>{found}</li>"


def _timeline(card: TimelineCard) -> str:
    """The pieces as a bar, which the table below tells in words."""
    whole = card.seconds or 1.0
    parts = "".join(
        f'<i class="over-{escape(piece.decision)}"'
        f' style="width:{_share(100 * (piece.end - piece.start) / whole)}%"></i>'
        for piece in card.pieces
    )
    rows = [_piece(piece) for piece in card.pieces]
    table = _rows(TableCard("", ("From", "To", "Decision", "Why"), rows))
    strip = f'<div class="strip" aria-hidden="true">{parts}</div>'
    return _listed(card.title, card.note, strip, table)


def _piece(piece: Piece) -> tuple[Cell, ...]:
    return (f"{piece.start:.1f} s", f"{piece.end:.1f} s", Badge(piece.decision), piece.why)

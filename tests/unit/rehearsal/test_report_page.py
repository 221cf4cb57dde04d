"""The report: complete, escaped, self-contained."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

from rehearsal.report.model import (
    Badge,
    FigureCard,
    Flow,
    ImageCard,
    Label,
    Mark,
    Outcome,
    Report,
    ScenarioReport,
    TableCard,
)
from rehearsal.report.page import render
from tests.unit.rehearsal.report_sample import sample_report

VOID = {"meta", "img", "br", "rect", "path", "link", "input"}
EVIL = "<script>alert(1)</script>\"'&"


class Outline(HTMLParser):
    """Checks that tags are closed in order, and collects tags and attributes."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


def outline(page: str) -> Outline:
    parser = Outline()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return parser


def with_cards(*cards: object, problems: tuple[str, ...] = ()) -> Report:
    outcome = Outcome(cards=cards, problems=problems)  # type: ignore[arg-type]
    scenarios = [ScenarioReport("moderation", "A title", 1.0, outcome)]
    return replace(sample_report(), scenarios=scenarios)


def test_page_is_well_formed_and_needs_nothing_else() -> None:
    page = render(sample_report())
    tags = outline(page).tags
    names = {name for name, _ in tags}
    assert not names & {"script", "link", "iframe", "object"}
    sources = [attributes.get("src") or "" for name, attributes in tags if name == "img"]
    assert len(sources) == 8
    assert all(source.startswith("data:image/") for source in sources)
    assert not re.search(r"url\((?!#)|@import|https?://", page)


def test_every_picture_says_in_words_what_it_shows() -> None:
    images = [
        attributes for name, attributes in outline(render(sample_report())).tags if name == "img"
    ]
    assert all(len(image.get("alt") or "") > 10 for image in images)


def test_all_data_is_escaped() -> None:
    label = Label(EVIL, 70, EVIL, 2, (Mark(60, EVIL),))
    page = render(
        with_cards(
            ImageCard(EVIL, EVIL, "reject", EVIL, b"x", EVIL, EVIL, (label,), 1.0, EVIL),
            ImageCard(EVIL, EVIL, "unusable", EVIL),
            TableCard(EVIL, [EVIL], [[EVIL], [Badge(EVIL)]], EVIL),
            FigureCard(EVIL, b"x", EVIL, EVIL, EVIL),
            problems=(EVIL,),
        )
    )
    assert "<script" not in page
    assert '="<' not in page and "onerror" not in page
    outline(page)


def test_rejected_pictures_are_blurred_and_can_be_revealed_by_keyboard() -> None:
    page = render(sample_report())
    veiled = [
        attributes
        for name, attributes in outline(page).tags
        if name == "figure" and "veiled" in (attributes.get("class") or "")
    ]
    assert len(veiled) == 5
    assert all(figure["tabindex"] == "0" and figure["aria-label"] for figure in veiled)


def test_decisions_are_told_by_word_and_thresholds_are_marked() -> None:
    page = render(sample_report())
    for word in ("Accepted", "Rejected", "Unusable"):
        assert f"{word}</span>" in page
    assert '<i class="mark" style="left:60.0%">' in page
    assert "rejected from 60&nbsp;%" in page
    assert "57.3&nbsp;%" in page


def test_files_without_a_picture_are_gathered_in_a_table() -> None:
    page = render(sample_report())
    table = page[page.index("Files that could not be analysed") :]
    assert table.index("incoming/shopping-list.jpg") < table.index("incoming/blinking.gif")


def test_page_says_what_stood_in() -> None:
    report = sample_report()
    page = render(report)
    assert "What was real" in page and "What stood in" in page
    assert "Rekognition&#x27;s answers are scripted" in page


def test_failed_scenario_is_shown_as_such() -> None:
    report = with_cards(problems=("expected this, found that",))
    assert not report.passed
    page = render(report)
    assert "Not all passed" in page and "expected this, found that" in page


def test_run_without_scenarios_has_not_passed() -> None:
    assert not replace(sample_report(), scenarios=[]).passed
    render(replace(sample_report(), scenarios=[], stages=[]))


def test_both_colour_schemes_and_narrow_screens_are_styled() -> None:
    page = render(sample_report())
    assert "@media (prefers-color-scheme: dark)" in page
    assert "@media (max-width: 720px)" in page
    assert 'name="viewport"' in page


def test_several_scenarios_are_listed_with_links_that_lead_somewhere() -> None:
    flow = Flow("The way", [("Data", "Amazon S3", False), (EVIL, EVIL, True)])
    outcome = Outcome(numbers=[("AUC", "0.83", "")], flow=flow)
    one = sample_report()
    report = replace(one, scenarios=[*one.scenarios, ScenarioReport("b", "Second", 1.0, outcome)])
    page = render(report)
    tags = outline(page).tags
    links = [attributes["href"] for name, attributes in tags if name == "a"]
    assert links == ["#scenario-moderation", "#scenario-b"]
    ids = {attributes.get("id") for _, attributes in tags}
    assert {link[1:] for link in links if link} <= ids
    assert "<dt>AUC</dt><dd>0.83" in page and "<b>Data</b> Amazon S3" in page
    assert "2 <small>of 2" in page and "<script" not in page


def test_json_has_the_agreed_form() -> None:
    content = json.loads(json.dumps(sample_report().as_json()))
    assert list(content) == ["scenarios", "real", "stood_in"]
    (scenario,) = content["scenarios"]
    assert scenario == {
        "name": "moderation",
        "status": "passed",
        "seconds": 4.2,
        "facts": {"images": 11},
    }


def test_labels_are_coloured_by_the_band_they_reach() -> None:
    marks = (Mark(40, "review"), Mark(80, "reject"))
    labels = tuple(Label(f"at {value}", value, marks=marks) for value in (39.9, 40, 80))
    page = render(with_cards(ImageCard("t", "k", "reject", "r", b"x", labels=labels)))
    assert re.findall(r"fill (over-\w+)", page) == ["over-accept", "over-review", "over-reject"]
    assert "for review from 40&nbsp;%, rejected from 80&nbsp;%" in page

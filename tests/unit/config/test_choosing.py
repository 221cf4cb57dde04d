"""The page that helps to choose: every configuration on it is one that the platform takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import config
from stacks.hosting_checks import problems

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "choosing.md").read_text(encoding="utf-8")
STARTS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
# What each end of the tree turns on.
ENDS = {
    "moderated": lambda found: set(found.vision.analyses.on()) == {"moderation"},
    "catalogue": lambda found: found.vision.athena and "labels" in found.vision.analyses.on(),
    "visitors": lambda found: found.vision.blurred_copies and found.vision.analyses.faces,
    "shelves": lambda found: found.vision.analyses.custom_labels,
    "churn": lambda found: found.hosting and found.training and not found.vision,
    "searched": lambda found: found.training.models["churn"].autopilot,
}


@pytest.mark.parametrize("text", STARTS, ids=range(len(STARTS)))
def test_every_start_is_taken_and_leads_where_its_end_says(text: str, tmp_path: Path) -> None:
    name = re.match(r"name: (\w+)", text)
    assert name
    file = tmp_path / f"{name[1]}.yaml"
    file.write_text(text, encoding="utf-8")
    assert ENDS[name[1]](config.load(str(file), check=problems))


def test_every_end_of_the_tree_has_a_start() -> None:
    tree = re.findall(r"\.\.\. (\d .+)", PAGE)
    assert re.findall(r"## (\d .+)", PAGE) == tree
    assert len(STARTS) == len(tree) == len(ENDS)


def test_every_page_it_leads_to_is_there() -> None:
    for link in re.findall(r"\]\(([a-z-]+\.md)", PAGE):
        assert (DOCS / link).exists(), link

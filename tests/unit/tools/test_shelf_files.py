"""Plans and sales from files; readings decided again."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tools import shelves
from tools.replaying import WrongDocument, replay
from tools.shelf_files import WrongFile, plan_items, sales_items


def write(folder: Path, text: str) -> Path:
    path = folder / "file.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_plan_fills_in_what_is_left_out(tmp_path: Path) -> None:
    text = "store,aisle,product,label,pack_size,maximum_shelf\n3,drinks,Cola 1 l,cola,6,\n"
    (item,) = plan_items(write(tmp_path, text))
    assert (item["pk"], item["sk"]) == ("shelf#3#drinks", "plan#cola")
    assert (item["product"], item["pack_size"], item["lead_time_days"]) == ("Cola 1 l", 6, 1)
    assert "maximum_shelf" not in item


def test_the_label_is_the_product_where_none_is_given(tmp_path: Path) -> None:
    (item,) = plan_items(write(tmp_path, "store,aisle,product\n3,drinks,cola\n"))
    assert item["label"] == "cola"


def test_everything_that_is_wrong_with_a_plan_is_said_at_once(tmp_path: Path) -> None:
    text = (
        "store,aisle,product,lead_time_days,pack_size\n"
        "3,drinks,cola,29,\n"
        "a/b,drinks,gum,1,0\n"
        "3,drinks,,1,1.5\n"
    )
    with pytest.raises(WrongFile) as caught:
        plan_items(write(tmp_path, text))
    words = str(caught.value).splitlines()
    assert "file.csv:2: lead_time_days: got '29', allowed are whole numbers 0 to 28" in words[0]
    assert len(words) == 3


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ("3,drinks,cola,a\n3,drinks,gum,a\n", "a label of one shelf"),
        ("3,drinks,cola,a\n3,drinks,cola,b\n", "a product of one shelf"),
    ],
)
def test_a_shelf_has_each_product_once(tmp_path: Path, rows: str, what: str) -> None:
    with pytest.raises(WrongFile, match=f":3: {what} stands in line 2 already"):
        plan_items(write(tmp_path, "store,aisle,product,label\n" + rows))


def test_sales_keep_what_is_known_of_a_day(tmp_path: Path) -> None:
    text = "date,store,product,sales,promotion\n2026-11-22,3,cola,4.5,1\n2026-11-23,3,cola,,\n"
    known, unknown = sales_items(write(tmp_path, text))
    assert (known["pk"], known["sk"]) == ("sales#3#cola", "2026-11-22")
    assert (known["sales"], known["promotion"]) == (Decimal("4.5"), Decimal(1))
    assert "sales" not in unknown and "promotion" not in unknown


def test_the_public_layout_is_taken(tmp_path: Path) -> None:
    text = "id,date,store_nbr,family,sales,onpromotion\n0,2013-01-01,1,BEVERAGES,12.0,0\n"
    (item,) = sales_items(write(tmp_path, text))
    assert item["pk"] == "sales#1#BEVERAGES" and item["promotion"] == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("date,store,product\n", "has no column sales; it has date, store, product"),
        ("date,store,product,sales\n22.11.2026,3,cola,1\n", ":2: date: got '22.11.2026'"),
        ("date,store,product,sales\n2026-11-22,3,cola,-1\n", ":2: sales: got '-1'"),
        ("date,store,product,sales\n2026-11-22,3,cola,NaN\n", ":2: sales: got 'NaN'"),
        (
            "date,store,product,sales\n2026-11-22,3,cola,1\n2026-11-22,3,cola,2\n",
            ":3: a day of one product stands in line 2 already",
        ),
    ],
)
def test_sales_that_are_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(WrongFile, match=words.replace("(", r"\(")):
        sales_items(write(tmp_path, text))


def test_only_so_many_problems_are_shown(tmp_path: Path) -> None:
    rows = "".join(f"{day},3,cola,1\n" for day in range(50))
    with pytest.raises(WrongFile) as caught:
        sales_items(write(tmp_path, "date,store,product,sales\n" + rows))
    assert str(caught.value).endswith("and 30 more")


def reading(**more: Any) -> dict[str, Any]:
    demand = dict.fromkeys(("p10", "p25", "p50", "p75", "p90", "p95"), 20.0)
    names = {"store": "3", "product": "cola", "date": "2026-11-23"}
    answer = {**names, "status": "forecast", "horizon_days": 9, "service_level": 0.9}
    return {
        "format": "1",
        "event": {
            "read_at": "2026-11-23T07:30:00Z",
            "products": [{"product": "cola", "count": 4, "confidence": 90, "pictures": [1]}],
        },
        "plan": [{"label": "cola", "product": "cola"}],
        "open": [],
        "seen": None,
        "request": {"instances": [{**names, "stock": 4, "on_order": 0}]},
        "answer": {"predictions": [{**answer, "demand": demand, "quantity": 16.0}]},
        **more,
    }


ORDERED = {
    "lines": [
        {
            "product": "cola",
            "label": "cola",
            "counted": 4,
            "stock": 4,
            "on_order": 0,
            "expected": 20.0,
            "wanted": 20.0,
            "quantity": 16,
            "because": [],
        }
    ],
    "left_out": [],
    "open": [{"product": "cola", "quantity": 16, "due": "2026-11-24"}],
}


def test_a_reading_decided_again_comes_to_the_same() -> None:
    told = replay([("a", reading(orders=ORDERED)), ("b", reading())])
    assert (told.same, told.different, told.unanswered) == (1, [], 1)


def test_other_orders_are_named() -> None:
    line = {**ORDERED["lines"][0], "quantity": 99}
    told = replay([("a", reading(orders={**ORDERED, "lines": [line]}))])
    assert told.different == ["a: ordered 99 cola, now 16 cola"]


def test_what_is_no_reading_is_refused() -> None:
    with pytest.raises(WrongDocument, match="a is no kept reading of format 1"):
        replay([("a", {"format": "2"})])


def test_a_folder_is_replayed_without_aws(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "a.json").write_text(json.dumps(reading(orders=ORDERED)))
    assert shelves.main(["replay", "--folder", str(tmp_path)]) is None
    assert "1 readings came to the same orders, 0 to others" in capsys.readouterr().out
    (tmp_path / "3" / "b.json").write_text("[")
    assert "Expecting value" in str(shelves.main(["replay", "--folder", str(tmp_path)]))


def test_what_a_reading_waits_for_is_said() -> None:
    wanted = {"state": "wanted", "decision": "review", "codes": ["send a sharper picture"]}
    found = {"store": "3", "aisle": "drinks", "reading": "20261123T073000Z", "pictures": 3}
    (line,) = shelves.waiting([{**found, "picture_1": {"state": "counted"}, "picture_2": wanted}])
    assert line == (
        "3/drinks 20261123T073000Z: picture 2: review, send a sharper picture; "
        "picture 3: has not come"
    )

"""Write a realistic, made-up table of telecom customers of any size.

The columns are those of IBM's public Telco set. Who churns depends on contract, tenure, charges,
kind of connection, payment and support, with chance on top, so that a good model reaches an AUC
of about 0.84 and no model reaches 1. The same seed gives the same rows, and a longer table begins
with the shorter one's rows. Customers without a whole month yet (tenure 0) have a blank (" ")
for TotalCharges, as in the public set.

    python -m ml_src.churn.generate --rows 7043 --seed 1 --output customers.csv
"""

from __future__ import annotations

import argparse
import string
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute, csv

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from ml_src.churn.schema import CATEGORIES, COLUMNS, IDENTIFIER, LABEL

BLOCK = 65_536  # rows drawn at a time; part of what a seed means
MAY_LACK = ("gender", "Partner", "Dependents", "MonthlyCharges", "PaymentMethod", "TechSupport")
NEW_CATEGORIES = {"PaymentMethod": "Digital wallet", "Contract": "Five year"}

Column = dict[str, Any]
pc: Any = compute  # its functions are made at import, so no checker knows them


def blocks(
    rows: int, *, seed: int = 1, missing: float = 0.004, unseen: float = 0.0
) -> Iterator[pa.RecordBatch]:
    """Draw a table block by block.

    Args:
        rows: number of customers.
        seed: what the draw starts from.
        missing: share (0 to 1) of empty cells in each column that may lack values.
        unseen: share (0 to 1) of customers with a category that the public set does not know.

    Yields:
        Record batches of strings with `COLUMNS`, at most 65,536 rows each.
    """
    for number, start in enumerate(range(0, rows, BLOCK)):
        chance = np.random.default_rng([seed, number])
        table = _strings(_customers(chance), start, seed)
        _spoil(table, chance, missing, unseen)
        batch = pa.RecordBatch.from_arrays([table[name] for name in COLUMNS], list(COLUMNS))
        yield batch.slice(0, rows - start)


def write(path: Path, batches: Iterator[pa.RecordBatch]) -> int:
    """Write batches as CSV with a header to `path`; returns the number of rows."""
    rows = 0
    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    plain = csv.WriteOptions(include_header=False, quoting_style="none")
    with path.open("wb") as file:
        file.write(f"{','.join(COLUMNS)}\n".encode())
        with csv.CSVWriter(file, schema, write_options=plain) as out:
            for batch in batches:
                out.write_batch(batch)
                rows += batch.num_rows
    return rows


def _pick(chance: np.random.Generator, shares: dict[str, float]) -> npt.NDArray[Any]:
    """Draw one of the names for each row of a block, by its share."""
    names = np.array(list(shares), dtype=object)
    edges = np.cumsum(list(shares.values()))
    drawn = np.searchsorted(edges / edges[-1], chance.random(BLOCK), side="right")
    return names[drawn]


def _yes(chance: np.random.Generator, share: Any) -> npt.NDArray[np.bool_]:
    """Draw true with the given share for each row of a block."""
    return chance.random(BLOCK) < share


def _customers(chance: np.random.Generator) -> Column:
    """Draw a block of customers: who they are, what they have, what they pay, who leaves."""
    who: Column = {
        "gender": _pick(chance, {"Female": 0.495, "Male": 0.505}),
        "senior": _yes(chance, 0.162),
        "partner": _yes(chance, 0.483),
    }
    who["dependents"] = _yes(chance, np.where(who["partner"], 0.52, 0.09))
    who["contract"] = _pick(chance, {"Month-to-month": 0.55, "One year": 0.21, "Two year": 0.24})
    who["tenure"] = _tenure(chance, who["contract"])
    who["phone"] = _yes(chance, 0.903)
    who["lines"] = _yes(chance, 0.47)
    who["internet"] = _pick(chance, {"DSL": 0.344, "Fiber optic": 0.44, "No": 0.216})
    who["phone"] |= who["internet"] == "No"
    loyal = who["tenure"] / 72
    for name, least in (("OnlineSecurity", 0.2), ("OnlineBackup", 0.25), ("TechSupport", 0.2)):
        who[name] = _yes(chance, least + 0.35 * loyal)
    who["DeviceProtection"] = _yes(chance, 0.25 + 0.4 * loyal)
    who["StreamingTV"] = _yes(chance, 0.42 + 0.2 * loyal)
    who["StreamingMovies"] = _yes(chance, np.where(who["StreamingTV"], 0.68, 0.28))
    who["paperless"] = _yes(chance, np.where(who["internet"] == "Fiber optic", 0.75, 0.45))
    who["payment"] = _pick(
        chance,
        {
            "Electronic check": 0.336,
            "Mailed check": 0.229,
            "Bank transfer (automatic)": 0.219,
            "Credit card (automatic)": 0.216,
        },
    )
    who["monthly"] = _monthly(chance, who)
    drift = 1 + chance.normal(0, 0.04, BLOCK) * (who["tenure"] > 1)
    who["total"] = np.round(np.maximum(who["tenure"] * who["monthly"] * drift, 0), 2)
    who["churn"] = _yes(chance, _share_of_churn(chance, who))
    return who


def _tenure(chance: np.random.Generator, contract: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Draw months with the company: short by the month, long by contract, 72 at most."""
    month = chance.exponential(20, BLOCK)
    year = chance.normal(42, 19, BLOCK)
    two = 72 - chance.exponential(16, BLOCK)
    months = np.where(contract == "One year", year, np.where(contract == "Two year", two, month))
    return np.clip(np.rint(months), 0, 72).astype(np.int64)


def _monthly(chance: np.random.Generator, who: Column) -> npt.NDArray[np.float64]:
    """Add up what the services cost a month, in steps of 0.05."""
    net = who["internet"] != "No"
    price = 19.5 * who["phone"] + 5.0 * (who["phone"] & who["lines"])
    price = (
        price
        + np.where(who["internet"] == "DSL", 25.0, 0)
        + 50.0 * (who["internet"] == "Fiber optic")
    )
    for name in ("OnlineSecurity", "OnlineBackup", "TechSupport", "DeviceProtection"):
        price = price + 5.0 * (net & who[name])
    for name in ("StreamingTV", "StreamingMovies"):
        price = price + 10.0 * (net & who[name])
    price = np.maximum(price + chance.normal(0, 0.9, BLOCK), 18.25)
    return np.round(np.rint(price * 20) / 20, 2)


def _share_of_churn(chance: np.random.Generator, who: Column) -> npt.NDArray[np.float64]:
    """Say how likely each customer is to leave."""
    net = who["internet"] != "No"
    score = -1.15 - 0.034 * who["tenure"] + 1.2 * np.exp(-who["tenure"] / 5)
    score = score - 0.95 * (who["contract"] == "One year") - 1.9 * (who["contract"] == "Two year")
    score = score + 0.85 * (who["internet"] == "Fiber optic") - 0.7 * ~net
    score = score + 0.012 * (who["monthly"] - 65)
    score = score + 0.5 * (who["payment"] == "Electronic check") + 0.3 * who["paperless"]
    score = score - 0.45 * (net & who["OnlineSecurity"]) - 0.45 * (net & who["TechSupport"])
    score = score + 0.3 * who["senior"] - 0.2 * who["dependents"]
    score = score + 0.75 + chance.normal(0, 0.75, BLOCK)
    return 1 / (1 + np.exp(-score))


def _strings(who: Column, start: int, seed: int) -> dict[str, pa.Array]:
    """Write a block's values as the public set does."""
    net, phone = who["internet"] != "No", who["phone"]

    def yes_no(flags: npt.NDArray[Any], has: Any = None, without: str = "") -> pa.Array:
        words = np.where(flags, "Yes", "No").astype(object)
        return pa.array(words if has is None else np.where(has, words, without))

    table = {
        IDENTIFIER: _identifiers(start, seed),
        "gender": pa.array(who["gender"]),
        "SeniorCitizen": pa.array(who["senior"].astype(np.int8)).cast(pa.string()),
        "Partner": yes_no(who["partner"]),
        "Dependents": yes_no(who["dependents"]),
        "tenure": pa.array(who["tenure"]).cast(pa.string()),
        "PhoneService": yes_no(phone),
        "MultipleLines": yes_no(who["lines"], phone, "No phone service"),
        "InternetService": pa.array(who["internet"]),
        "Contract": pa.array(who["contract"]),
        "PaperlessBilling": yes_no(who["paperless"]),
        "PaymentMethod": pa.array(who["payment"]),
        "MonthlyCharges": pa.array(who["monthly"]).cast(pa.string()),
        "TotalCharges": pc.if_else(
            pa.array(who["tenure"] == 0), " ", pa.array(who["total"]).cast(pa.string())
        ),
        LABEL: yes_no(who["churn"]),
    }
    for name in CATEGORIES:
        if name not in table:
            table[name] = yes_no(who[name], net, "No internet service")
    return table


def _identifiers(start: int, seed: int) -> pa.Array:
    """Give each row an identifier of its own, such as 7590-VHVEG.

    Multiplying by a number that shares no factor with 10^4 * 26^5 visits each identifier once.
    """
    rows = np.arange(start, start + BLOCK, dtype=np.uint64)
    left = (rows * np.uint64(736_338_717) + np.uint64(seed * 7_919 + 42)) % np.uint64(10**4 * 26**5)
    text = np.full((BLOCK, 10), ord("-"), np.uint8)
    letters = np.frombuffer(string.ascii_uppercase.encode(), np.uint8)
    for place in range(9, 4, -1):
        left, letter = np.divmod(left, np.uint64(26))
        text[:, place] = letters[letter]
    for place in range(3, -1, -1):
        left, digit = np.divmod(left, np.uint64(10))
        text[:, place] = digit + ord("0")
    offsets = np.arange(0, 10 * BLOCK + 1, 10, dtype=np.int32)
    return pa.StringArray.from_buffers(BLOCK, pa.py_buffer(offsets), pa.py_buffer(text))


def _spoil(
    table: dict[str, pa.Array], chance: np.random.Generator, missing: float, unseen: float
) -> None:
    """Empty some cells, and give some customers a category that is new."""
    for name, word in NEW_CATEGORIES.items():
        table[name] = pc.if_else(pa.array(_yes(chance, unseen)), word, table[name])
    for name in MAY_LACK:
        table[name] = pc.if_else(pa.array(_yes(chance, missing)), "", table[name])


def main(argv: Sequence[str] | None = None) -> None:
    """Write a table as the command line says."""
    parser = argparse.ArgumentParser(description="Write a made-up table of telecom customers.")
    parser.add_argument("--rows", type=int, default=7043, help="number of customers")
    parser.add_argument("--seed", type=int, default=1, help="what the draw starts from")
    parser.add_argument("--missing", type=float, default=0.004, help="share of empty cells, 0-1")
    parser.add_argument("--unseen", type=float, default=0.0, help="share of new categories, 0-1")
    parser.add_argument("--output", type=Path, required=True, help="the CSV file to write")
    given = parser.parse_args(argv)
    if given.rows < 1 or given.seed < 0:
        parser.error("--rows must be at least 1 and --seed at least 0")
    if not (0 <= given.missing <= 1 and 0 <= given.unseen <= 1):
        parser.error("--missing and --unseen are shares from 0 to 1")
    drawn = blocks(given.rows, seed=given.seed, missing=given.missing, unseen=given.unseen)
    print(f"wrote {write(given.output, drawn)} rows to {given.output}")


if __name__ == "__main__":
    main()

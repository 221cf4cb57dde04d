"""Questions in SQL, asked in the deployed workgroup."""

from __future__ import annotations

from typing import Any

from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.waiting import until

ENDED = ("SUCCEEDED", "FAILED", "CANCELLED")


def ask(context: Context, question: str, seconds: float = 30) -> list[dict[str, str]]:
    """Return the rows that Amazon Athena answers with, each a mapping of columns to texts.

    Raises:
        NotInTime: there was no answer in `seconds`.
        LookupError: Athena refused the question; with its reason.
    """
    athena = context.client("athena")
    query = athena.start_query_execution(
        QueryString=question,
        QueryExecutionContext={"Database": context.outputs["AthenaDatabase"]},
        WorkGroup=context.outputs["AthenaWorkgroup"],
    )["QueryExecutionId"]

    def status() -> dict[str, Any] | None:
        found = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"]
        return found if found["State"] in ENDED else None

    ended = until(status, "an answer of Athena", seconds)
    if ended["State"] != "SUCCEEDED":
        raise LookupError(f"Athena: {ended.get('StateChangeReason', ended['State'])}")
    lines = [
        [cell.get("VarCharValue", "") for cell in row["Data"]]
        for row in athena.get_query_results(QueryExecutionId=query)["ResultSet"]["Rows"]
    ]
    return [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]

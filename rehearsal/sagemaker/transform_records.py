"""Batch transform's records: split, batched, filtered, joined and put together again.

("CreateTransformJob", Amazon SageMaker API Reference; "Associate Prediction Results with Input
Records", Amazon SageMaker Developer Guide.) Filters work on CSV columns: `$`, `$[2]`, `$[1:]`,
`$[0,-1]`; on JSON Lines only `$`.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from rehearsal.sagemaker.surroundings import refuse

WHOLE = "$"
SLICE = re.compile(r"\$\[(-?\d*):(-?\d*)\]")
INDEXES = re.compile(r"\$\[(-?\d+(?:,-?\d+)*)\]")
CSV, JSON_LINES = "text/csv", "application/jsonlines"
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Plan:
    """How a job treats records.

    Attributes:
        split: by lines; else an object is one record.
        single: one record a request.
        most: bytes of a request; 0: no limit.
        content_type: of the input.
        assembled: a line break after each request's answer.
        before, after: filters of the record sent, and of the joined result.
        joined: whether the answer is put beside its record.
    """

    split: bool
    single: bool
    most: int
    content_type: str
    assembled: bool
    before: str
    after: str
    joined: bool

    @classmethod
    def of(cls, given: dict[str, Any]) -> "Plan":
        """From a request of CreateTransformJob; refuses what cannot be rehearsed."""
        source, target = given["TransformInput"], given["TransformOutput"]
        processing: dict[str, str] = given.get("DataProcessing", {})
        split = source.get("SplitType", "None")
        if split not in ("None", "Line"):
            raise refuse(f"SplitType {split} cannot be rehearsed; None and Line can")
        plan = cls(
            split == "Line",
            given.get("BatchStrategy", "MultiRecord") == "SingleRecord",
            given.get("MaxPayloadInMB", 6) * MEBIBYTE,
            source.get("ContentType", "").partition(";")[0].strip(),
            target.get("AssembleWith", "None") == "Line",
            processing.get("InputFilter", WHOLE),
            processing.get("OutputFilter", WHOLE),
            processing.get("JoinSource", "None") == "Input",
        )
        plan.check()
        return plan

    def check(self) -> None:
        """Refuse a filter or a join that cannot be rehearsed."""
        filters = [each for each in (self.before, self.after) if each != WHOLE]
        if not filters and not self.joined:
            return
        if not self.split or self.content_type not in (CSV, JSON_LINES):
            raise refuse(
                f"DataProcessing is rehearsed with SplitType Line and {CSV} or {JSON_LINES} only"
            )
        wrong = [f for f in filters if not SLICE.fullmatch(f) and not INDEXES.fullmatch(f)]
        if wrong or (filters and self.content_type != CSV):
            raise refuse(
                f"the filters {', '.join(filters)} cannot be rehearsed; $, $[2], $[1:] and $[0,-1] "
                f"of {CSV} can"
            )


def batches(plan: Plan, source: BinaryIO) -> Iterator[list[str]]:
    """An object's records, as many at a time as one request may hold; read as they are taken."""
    if not plan.split:
        yield [source.read().decode("utf-8", errors="surrogateescape")]
        return
    batch: list[str] = []
    size = 0
    for raw in source:
        line = raw.rstrip(b"\r\n").decode("utf-8", errors="surrogateescape")
        if not line:
            continue
        length = len(raw)
        if batch and (plan.single or (plan.most and size + length > plan.most)):
            yield batch
            batch, size = [], 0
        batch.append(line)
        size += length
    if batch:
        yield batch


def request(plan: Plan, batch: list[str]) -> bytes:
    """The body of one request."""
    lines = [_pick(plan.before, line) for line in batch] if plan.before != WHOLE else batch
    return "\n".join(lines).encode("utf-8", errors="surrogateescape")


def result(plan: Plan, batch: list[str], answer: bytes) -> bytes:
    """What goes to the output for a request."""
    if not plan.joined and plan.after == WHOLE:
        return answer + b"\n" if plan.assembled and not answer.endswith(b"\n") else answer
    answers = answer.decode().splitlines()
    if len(answers) != len(batch):
        raise ValueError(f"{len(batch)} records were sent, {len(answers)} predictions came back")
    lines = [_joined(plan, *pair) for pair in zip(batch, answers, strict=True)]
    return "".join(f"{_pick(plan.after, line)}\n" for line in lines).encode()


def _joined(plan: Plan, record: str, answer: str) -> str:
    if not plan.joined:
        return answer
    if plan.content_type == CSV:
        return f"{record},{answer}"
    return json.dumps({**json.loads(record), "SageMakerOutput": json.loads(answer)})


def _pick(wanted: str, line: str) -> str:
    if wanted == WHOLE:
        return line
    columns = next(csv.reader([line]))
    ends = SLICE.fullmatch(wanted)
    if ends is not None:
        start, stop = (int(end) if end else None for end in ends.groups())
        chosen = columns[start:stop]
    else:
        match = INDEXES.fullmatch(wanted)
        chosen = [columns[int(index)] for index in (match[1].split(",") if match else [])]
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(chosen)
    return out.getvalue()

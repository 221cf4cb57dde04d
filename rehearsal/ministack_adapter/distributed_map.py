"""Distributed Map: what it reads, starts and writes is done as the state machine's role.

After "Distributed Map state", "ItemReader", "ItemBatcher", "ResultWriter" and "Redriving Map Runs"
(AWS Step Functions Developer Guide). MiniStack itself would read the bucket as nobody, knows
neither batches nor inventories nor exports, and goes on with every item after the first failure.
"""

import contextvars
import copy
import json
import threading
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

from rehearsal.ministack_adapter import execution_context, iam, map_items, map_results
from rehearsal.ministack_adapter.modules import stepfunctions

# Fields of a Map state that this has nothing for; "Parameters" is the old name of ItemSelector.
LACKING = (
    *("Items", "Parameters", "MaxConcurrencyPath"),
    *("ToleratedFailureCountPath", "ToleratedFailurePercentagePath"),
)
MOST_AT_ONCE = 64
_COUNTS = (
    *("pending", "running", "succeeded", "failed", "timedOut", "aborted", "total"),
    *("resultsWritten", "failuresNotRedrivable", "pendingRedrive"),
)
_STATUS = {
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "PENDING_REDRIVE": "pendingRedrive",
}


@dataclass
class MapRun:
    """One Map Run: what its children are given, and what became of them.

    arn: of the run. children: its child executions by the number of their input, as far as they
    were started. record: what DescribeMapRun shows.
    """

    arn: str
    machine: str
    inputs: list[Any]
    record: dict[str, Any]
    items: int
    children: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def failed(self) -> int:
        """Children that failed."""
        return self._with("FAILED")

    @property
    def left(self) -> list[int]:
        """Numbers of the inputs whose child has not succeeded."""
        done = {n for n, child in self.children.items() if child["status"] == "SUCCEEDED"}
        return [number for number in range(len(self.inputs)) if number not in done]

    def count(self) -> None:
        """Bring the counts of DescribeMapRun up to date."""
        sizes = [len(_items(each)) for each in self.inputs]
        for counts, weights in (
            (self.record["executionCounts"], [1] * len(sizes)),
            (self.record["itemCounts"], sizes),
        ):
            counts.update(dict.fromkeys(_STATUS.values(), 0), total=sum(weights))
            for number, child in self.children.items():
                counts[_STATUS[child["status"]]] += weights[number]
            counts["pending"] = sum(weights) - sum(counts[name] for name in _STATUS.values())

    def _with(self, status: str) -> int:
        return sum(child["status"] == status for child in self.children.values())


_unfinished: dict[tuple[str, str], MapRun] = {}


def install() -> None:
    """Put this in the place of MiniStack's own Distributed Map."""
    stepfunctions._run_distributed_map = run


def forget() -> None:
    """Forget the Map Runs that a redrive could take up again."""
    _unfinished.clear()


def run(
    state: dict[str, Any],
    given: Any,
    effective: Any,
    processor: dict[str, Any],
    execution: dict[str, Any],
    ctx: dict[str, Any],
) -> tuple[Any, Any]:
    """Run the state as a Map Run, or what an earlier attempt of the execution left of it."""
    lacking = [name for name in LACKING if name in state]
    if lacking:
        raise map_items.failed(
            "States.Runtime", f"the rehearsal's Distributed Map has no {', '.join(lacking)}"
        )
    label = str(state.get("Label") or uuid.uuid4())
    key = (str(execution["executionArn"]), label)
    this = _unfinished.pop(key, None)
    if this is None:
        this = _begin(state, effective, execution, ctx, label)
    else:
        this.record.update(status="RUNNING", redriveCount=this.record["redriveCount"] + 1)
    try:
        try:
            _carry_out(this, state, processor, execution, ctx)
        finally:
            # What failed, and what was not started, is exported too.
            results = _write(this, state, effective, ctx)
    except Exception:
        _unfinished[key] = this
        this.record.update(status="FAILED", stopDate=stepfunctions.now_iso())
        raise
    this.record.update(status="SUCCEEDED", stopDate=stepfunctions.now_iso())
    result = stepfunctions._apply_result_selector(state, results)
    output = stepfunctions._apply_result_path(state, given, result)
    output = stepfunctions._apply_output_path(state, output, ctx)
    return output, stepfunctions._next_or_end(state)


def _begin(
    state: dict[str, Any],
    effective: Any,
    execution: dict[str, Any],
    ctx: dict[str, Any],
    label: str,
) -> MapRun:
    items = map_items.read(state, effective, ctx, execution_context.role.get())
    inputs = map_items.batched(state.get("ItemBatcher"), items, effective, ctx)
    machine = str(execution["stateMachineArn"])
    arn = f"{machine.replace(':stateMachine:', ':mapRun:')}/{label}:{uuid.uuid4()}"
    zero = dict.fromkeys(_COUNTS, 0)
    record: dict[str, Any] = {
        "mapRunArn": arn,
        "executionArn": execution["executionArn"],
        "status": "RUNNING",
        "startDate": stepfunctions.now_iso(),
        "maxConcurrency": int(state.get("MaxConcurrency") or 0),
        "toleratedFailurePercentage": float(state.get("ToleratedFailurePercentage") or 0),
        "toleratedFailureCount": int(state.get("ToleratedFailureCount") or 0),
        "itemCounts": dict(zero),
        "executionCounts": dict(zero),
        "redriveCount": 0,
        "_stateMachineArn": f"{machine}/{label}",
    }
    stepfunctions._map_runs[arn] = record
    this = MapRun(arn, machine, inputs, record, len(items))
    this.count()
    return this


def _carry_out(
    this: MapRun,
    state: dict[str, Any],
    processor: dict[str, Any],
    execution: dict[str, Any],
    ctx: dict[str, Any],
) -> None:
    """Start a child for each input that has none yet, until too many have failed."""

    def one(number: int) -> None:
        if execution["status"] == "RUNNING" and not _too_many(this, state):
            _child(this, number, processor, ctx)

    left = this.left
    for number in left:
        # A redriven child keeps its name; it begins again here, and not from its failed state.
        this.children.get(number, {}).update(status="PENDING_REDRIVE")
    at_once = int(state.get("MaxConcurrency") or 0) or MOST_AT_ONCE
    with ThreadPoolExecutor(min(at_once, MOST_AT_ONCE, len(left) or 1)) as pool:
        waiting = [pool.submit(contextvars.copy_context().run, one, each) for each in left]
    for each in waiting:
        each.result()
    if execution["status"] != "RUNNING":
        raise map_items.failed("States.Runtime", "the execution was stopped")
    if _too_many(this, state):
        raise map_items.failed(
            "States.ExceedToleratedFailureThreshold",
            "The specified tolerated failure threshold was exceeded",
        )


def _too_many(this: MapRun, state: Mapping[str, Any]) -> bool:
    # Without a threshold any failure fails the run; with two, the first that is exceeded counts.
    if not this.failed:
        return False
    count, percent = state.get("ToleratedFailureCount"), state.get("ToleratedFailurePercentage")
    if count is None and percent is None:
        return True
    share = 100 * this.failed / len(this.inputs)
    return (count is not None and this.failed > count) or (
        percent is not None and share > float(percent)
    )


def _child(this: MapRun, number: int, processor: dict[str, Any], ctx: dict[str, Any]) -> None:
    known = this.children.get(number)
    child = known or _new_child(this, number)
    _ask(this, child, again=known is not None)
    with this.lock:
        this.children[number] = child
        child["status"] = "RUNNING"
        stepfunctions._executions[child["executionArn"]] = child
        this.count()
    own = copy.deepcopy(ctx)
    own["Execution"] = {
        "Id": child["executionArn"],
        "Input": this.inputs[number],
        "Name": child["name"],
        "StartTime": child["startDate"],
    }
    try:
        states, start = processor.get("States", {}), processor.get("StartAt")
        output = stepfunctions._run_sub_machine(states, start, this.inputs[number], child, own)
        ended = {"status": "SUCCEEDED", "output": json.dumps(output)}
    except Exception as error:
        name = getattr(error, "error", "States.TaskFailed")
        ended = {"status": "FAILED", "error": name, "cause": getattr(error, "cause", str(error))}
    with this.lock:
        child.update(ended, stopDate=stepfunctions.now_iso())
        this.count()


def _new_child(this: MapRun, number: int) -> dict[str, Any]:
    machine = str(this.record["_stateMachineArn"])
    name = str(uuid.uuid4())
    return {
        "executionArn": f"{machine.replace(':stateMachine:', ':execution:')}:{name}",
        "stateMachineArn": machine,
        "name": name,
        "status": "RUNNING",
        "startDate": stepfunctions.now_iso(),
        "stopDate": None,
        "input": json.dumps(this.inputs[number]),
        "inputDetails": {"included": True},
        "output": None,
        "outputDetails": {"included": True},
        "mapRunArn": this.arn,
        "events": [],
        "testCase": "",
        "mockAttempts": {},
    }


def _ask(this: MapRun, child: Mapping[str, Any], *, again: bool) -> None:
    """Refuse a child that the state machine's role may not start, or redrive."""
    action = "states:RedriveExecution" if again else "states:StartExecution"
    arn = str(child["executionArn"]) if again else this.machine
    role = execution_context.role.get()
    if not iam.role_may(role, action, "states", arn):
        raise map_items.failed(
            "States.Permissions",
            f"User: {role} is not authorized to perform: {action} on resource: {arn}",
        )


def _write(this: MapRun, state: Mapping[str, Any], effective: Any, ctx: dict[str, Any]) -> Any:
    this.count()
    writer = cast("dict[str, Any]", state.get("ResultWriter") or {})
    if not writer:
        outputs = [
            json.loads(this.children[number]["output"])
            for number in range(len(this.inputs))
            if this.children.get(number, {}).get("status") == "SUCCEEDED"
        ]
        map_items.check_size(outputs)
        return outputs
    places = stepfunctions._resolve_params_obj(writer.get("Parameters") or {}, effective, ctx)
    pending = [each for n, each in enumerate(this.inputs) if n not in this.children]
    children = [this.children[number] for number in sorted(this.children)]
    written = map_results.write(
        this.arn,
        writer.get("WriterConfig") or {},
        places,
        children,
        pending,
        execution_context.role.get(),
    )
    this.record["executionCounts"]["resultsWritten"] = len(children)
    return written


def _items(given: Any) -> list[Any]:
    known = cast("dict[str, Any]", given) if isinstance(given, dict) else {}
    items = known.get("Items")
    return cast("list[Any]", items) if isinstance(items, list) else [given]

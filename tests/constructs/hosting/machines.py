"""Looks at state machines: their ways, their calls, and what those need."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import botocore.session
import jsonata
from botocore.validate import ParamValidator

from rehearsal.ministack_adapter.sdk_tasks import SERVICES, sdk_name

State = dict[str, Any]
SESSION = botocore.session.Session()
IAM_NAMES = {"sfn": "states", "eventbridge": "events"}
ACTIONS = {"s3:ListObjectsV2": "s3:ListBucket"}


def states(machine: State) -> Iterator[tuple[str, State]]:
    """Every state, those inside a Map too."""
    for name, state in machine["States"].items():
        yield name, state
        for inner in filter(None, [state.get("ItemProcessor")]):
            yield from states(inner)


def tasks(machine: State) -> dict[str, State]:
    """The tasks by name."""
    return {name: state for name, state in states(machine) if state["Type"] == "Task"}


def unreached(machine: State) -> set[str]:
    """The states that no way leads to, and those that lead nowhere."""
    reached, waiting = set[str](), [machine["StartAt"]]
    dead = set[str]()
    while waiting:
        name = waiting.pop()
        if name in reached:
            continue
        reached.add(name)
        state = {k: v for k, v in machine["States"][name].items() if k != "ItemProcessor"}
        further = re.findall(r"'(?:Next|Default)': '(\w+)'", str(state))
        waiting += further
        if not (further or state.get("End") or state["Type"] in ("Succeed", "Fail")):
            dead.add(name)
    return (set(machine["States"]) - reached) | dead


def uncaught(machine: State) -> set[str]:
    """The tasks and maps at the top that some failure ends without a word."""
    return {
        name
        for name, state in machine["States"].items()
        if state["Type"] in ("Task", "Map")
        and ["States.ALL"] not in [each["ErrorEquals"] for each in state.get("Catch", [])]
    }


def complaints(machine: State, values: dict[str, Any]) -> list[str]:
    """What botocore's models have against the parameters of each call.

    Args:
        machine: The definition.
        values: By path, what it stands for; other paths are texts.
    """
    found: list[str] = []
    for name, state in tasks(machine).items():
        service, operation = _called(state["Resource"])
        model = SESSION.get_service_model(service)
        (api,) = [one for one in model.operation_names if one.lower() == operation.lower()]
        shape = model.operation_model(api).input_shape
        given = _api(_put_in(state["Parameters"], values), shape)
        report = ParamValidator().validate(given, shape)
        found += [f"{name}: {report.generate_report()}"] if report.has_errors() else []
        found += [f"{name}: {problem}" for problem in _lengths(given, shape, api)]
    return found


def needed(machine: State) -> set[str]:
    """The IAM actions that the calls need, those of waiting for jobs included."""
    actions = set[str]()
    for state in tasks(machine).values():
        service, operation = _called(state["Resource"])
        prefix = IAM_NAMES.get(service, service)
        action = f"{prefix}:{operation[0].upper()}{operation[1:]}"
        actions.add(ACTIONS.get(action, action))
        if state["Resource"].endswith(".sync"):
            kind = operation.removeprefix("create")
            actions |= {f"sagemaker:{verb}{kind}" for verb in ("Describe", "Stop")}
            actions |= {"sagemaker:ListTags", "iam:PassRole"}
            actions |= {"events:DescribeRule", "events:PutRule", "events:PutTargets"}
        if "Tags" in state["Parameters"]:
            actions.add("sagemaker:AddTags")
    return actions


def evaluated(expression: str, given: Any) -> Any:
    """The value of a JSONata state's expression."""
    body = expression.removeprefix("{%").removesuffix("%}")
    # Step Functions' own function; what it gives by chance is fixed here.
    found = jsonata.Jsonata.jsonata(body.replace("$uuid()", '"0123abcd-0-0-0-0"'))
    return found.evaluate(None, {"states": {"input": given, "context": {}}})


def _called(resource: str) -> tuple[str, str]:
    *_, service, operation = resource.removesuffix(".sync").split(":")
    return SERVICES.get(service, service), operation


def _put_in(value: Any, values: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {
            key.removesuffix(".$"): values.get(each, "x")
            if key.endswith(".$")
            else _put_in(each, values)
            for key, each in value.items()
        }
    if isinstance(value, list):
        return [_put_in(each, values) for each in value]
    return value


def _api(value: Any, shape: Any) -> Any:
    """Names as the API has them; tokens as texts that are long enough."""
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {sdk_name(member): member for member in shape.members}
        unknown = set(value) - set(names)
        assert not unknown, f"{shape.name} has no {unknown}"
        return {names[key]: _api(each, shape.members[names[key]]) for key, each in value.items()}
    if shape.type_name == "list":
        return [_api(each, shape.member) for each in value] if isinstance(value, list) else []
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _api(each, shape.value) for key, each in value.items()}
    if shape.type_name == "string":
        text = json.dumps(value) if isinstance(value, dict) else value
        least = shape.metadata.get("min", 0)
        return text.ljust(least, "x") if isinstance(text, str) else text
    return value


def _lengths(value: Any, shape: Any, path: str) -> Iterator[str]:
    """What is longer than the model allows, which botocore's validator passes over."""
    most = shape.metadata.get("max")
    known = "${Token[" not in str(value)
    if shape.type_name in ("list", "map", "string") and most and known and len(value) > most:
        yield f"{path}: {len(value)} is more than {most}"
    if shape.type_name in ("integer", "long") and most and value > most:
        yield f"{path}: {value} is more than {most}"
    if shape.type_name == "structure":
        for name, each in value.items():
            yield from _lengths(each, shape.members[name], f"{path}.{name}")
    if shape.type_name == "list":
        for each in value:
            yield from _lengths(each, shape.member, path)

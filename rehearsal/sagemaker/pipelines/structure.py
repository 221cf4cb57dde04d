"""The form of a definition: members, types and names, step by step."""

import re
from collections.abc import Callable
from typing import Any, cast

from rehearsal.sagemaker.pipelines.arguments import argument_problems
from rehearsal.sagemaker.pipelines.caching import duration
from rehearsal.sagemaker.pipelines.conditions import MOST as MOST_CONDITIONS
from rehearsal.sagemaker.pipelines.conditions import condition_problems
from rehearsal.sagemaker.pipelines.expressions import expressions, parse_get
from rehearsal.sagemaker.pipelines.parameters import parameter_problems
from rehearsal.sagemaker.pipelines.paths import split
from rehearsal.sagemaker.pipelines.retries import policy_problems
from rehearsal.sagemaker.pipelines.step_types import COMMON_FIELDS, STEP_TYPES

VERSION = "2020-12-01"
FIELDS = ("Metadata", "MlflowConfig", "Parameters", "PipelineExperimentConfig", "Steps", "Version")
NAME = re.compile(r"[A-Za-z0-9\-_]{1,64}")
PROPERTY_FILE_FIELDS = ("FilePath", "OutputName", "PropertyFileName")
OUTPUT_TYPES = ("String", "Integer", "Float", "Boolean")
Members = dict[str, Any]


def problems(document: Any) -> list[str]:
    """Everything wrong with the form of a definition."""
    if not isinstance(document, dict):
        return ["It is a JSON object, given something else."]
    given = cast("Members", document)
    found = _unknown(given, FIELDS, "the definition")
    if given.get("Version") != VERSION:
        found.append(f"Version: given {given.get('Version')!r:.60}, allowed is {VERSION!r}.")
    if given.get("MlflowConfig"):
        found.append("MlflowConfig: the rehearsal has no stand-in for it; leave it out.")
    found += parameter_problems(given.get("Parameters") or [])
    steps: Any = given.get("Steps")
    if not isinstance(steps, list) or not steps:
        return [*found, "Steps is a list of at least one step. Expecting start of Json Array."]
    found += _of_steps(cast("list[Any]", steps), "Steps")
    return found


def _of_steps(steps: list[Any], where: str) -> list[str]:
    return [problem for i, step in enumerate(steps) for problem in _of_step(step, f"{where}[{i}]")]


def _of_step(step: Any, where: str) -> list[str]:
    if not isinstance(step, dict):
        return [f"{where} is an object, given {step!r:.60}."]
    given = cast("Members", step)
    name, kind = given.get("Name"), given.get("Type")
    if not isinstance(name, str) or NAME.fullmatch(name) is None:
        return [f"{where}.Name: given {name!r:.80}, wanted 1 to 64 of A-Z, a-z, 0-9, - and _."]
    if kind not in STEP_TYPES:
        return [
            f"The step {name!r} is of type {kind!r:.60}; the rehearsal runs "
            f"{', '.join(STEP_TYPES)}."
        ]
    where = f"the step {name!r}"
    found = _unknown(given, (*COMMON_FIELDS, *STEP_TYPES[kind].fields), where)
    arguments: Any = given.get("Arguments", {})
    if not isinstance(arguments, dict):
        return [*found, f"{where}: Arguments is an object, given {arguments!r:.60}."]
    depends: Any = given.get("DependsOn") or []
    if not _names_only(depends):
        return [*found, f"{where}: DependsOn is a list of step names, given {depends!r:.80}."]
    checks: tuple[Callable[[Members, str], list[str]], ...] = (
        _caching,
        _retries,
        _property_files,
        _expressions,
        OWN.get(kind, _nothing),
    )
    for check in checks:
        found += check(given, where)
    return found + argument_problems(kind, cast("Members", arguments), f"{where}: Arguments")


def _names_only(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, str) for each in cast("list[Any]", value)
    )


def _unknown(given: Members, allowed: tuple[str, ...], where: str) -> list[str]:
    return [
        f"Cannot parse object, unknown property '{name}' in {where}; "
        f"allowed are {', '.join(sorted(allowed))}."
        for name in given
        if name not in allowed
    ]


def _caching(step: Members, where: str) -> list[str]:
    given: Any = step.get("CacheConfig")
    if given is None:
        return []
    if not isinstance(given, dict) or not isinstance(cast("Members", given).get("Enabled"), bool):
        return [f"{where}: CacheConfig.Enabled is true or false, given {given!r:.80}."]
    config = cast("Members", given)
    found = _unknown(config, ("Enabled", "ExpireAfter"), f"{where}: CacheConfig")
    if not config["Enabled"]:
        return found
    if not STEP_TYPES[step["Type"]].cached:
        kinds = ", ".join(name for name, known in STEP_TYPES.items() if known.cached)
        found.append(f"{where}: CacheConfig: step caching is there for {kinds}.")
    try:
        duration(str(config.get("ExpireAfter", "")))
    except ValueError as error:
        found.append(f"{where}: CacheConfig.ExpireAfter: {error}.")
    return found


def cache_seconds(config: Members) -> float | None:
    """How old a cached run may be, by a CacheConfig that has been checked; None if it is off."""
    return duration(str(config["ExpireAfter"])) if config.get("Enabled") else None


def _retries(step: Members, where: str) -> list[str]:
    given = step.get("RetryPolicies")
    if given is None:
        return []
    if given and not STEP_TYPES[step["Type"]].retried:
        kinds = ", ".join(name for name, known in STEP_TYPES.items() if known.retried)
        return [f"{where}: RetryPolicies are there for {kinds}."]
    return policy_problems(given, f"{where}: RetryPolicies")


def _property_files(step: Members, where: str) -> list[str]:
    given: Any = step.get("PropertyFiles") or []
    if not isinstance(given, list):
        return [f"{where}: PropertyFiles is a list, given {given!r:.60}."]
    found: list[str] = []
    for index, item in enumerate(cast("list[Any]", given)):
        place = f"{where}: PropertyFiles[{index}]"
        members = cast("Members", item) if isinstance(item, dict) else {}
        found += _unknown(members, PROPERTY_FILE_FIELDS, place)
        found += [
            f"{place}.{name} is a text, given {members.get(name)!r:.60}."
            for name in PROPERTY_FILE_FIELDS
            if not isinstance(members.get(name), str)
        ]
    return found


def _expressions(step: Members, where: str) -> list[str]:
    """Every expression's own form; those of steps inside a condition are theirs."""
    arguments: Members = step.get("Arguments") or {}
    if step["Type"] == "Condition":
        arguments = {"Conditions": arguments.get("Conditions")}
    found: list[str] = []
    for place, key, held in expressions({"Arguments": arguments}, ""):
        try:
            _check_expression(key, held)
        except ValueError as error:
            found.append(f"{where}: {place.removeprefix('.')}.{key}: {error}")
    return found


def _check_expression(key: str, held: Any) -> None:
    if key == "Get":
        parse_get(held)
        return
    members = cast("Members", held) if isinstance(held, dict) else {}
    if key == "Std:Join":
        if set(members) != {"On", "Values"} or not isinstance(members["Values"], list):
            raise ValueError(f"wanted On and a list Values, given {held!r:.80}.")
        return
    file: Any = members.get("PropertyFile")
    if set(members) == {"PropertyFile", "Path"}:
        if not isinstance(file, dict) or set(cast("Members", file)) != {"Get"}:
            raise ValueError(f"PropertyFile is a Get of a property file, given {file!r:.80}.")
    elif set(members) != {"S3Uri", "Path"}:
        raise ValueError(f"wanted Path and PropertyFile, or Path and S3Uri; given {held!r:.80}.")
    if isinstance(members["Path"], str):
        split(members["Path"])


def _condition(step: Members, where: str) -> list[str]:
    arguments: Members = step.get("Arguments") or {}
    allowed = ("Conditions", "ElseSteps", "IfSteps")
    found = _unknown(arguments, allowed, f"{where}: Arguments")
    conditions: Any = arguments.get("Conditions")
    if (
        not isinstance(conditions, list)
        or not 1 <= len(cast("list[Any]", conditions)) <= MOST_CONDITIONS
    ):
        found.append(f"{where}: Conditions is a list of 1 to {MOST_CONDITIONS} conditions.")
    else:
        for index, each in enumerate(cast("list[Any]", conditions)):
            found += condition_problems(each, f"{where}: Conditions[{index}]")
    for member in ("IfSteps", "ElseSteps"):
        inner: Any = arguments.get(member) or []
        if isinstance(inner, list):
            found += _of_steps(cast("list[Any]", inner), f"{where}: {member}")
        else:
            found.append(f"{where}: {member} is a list of steps. Expecting start of Json Array.")
    return found


def _lambda(step: Members, where: str) -> list[str]:
    found = [] if step.get("FunctionArn") else [f"{where}: FunctionArn is missing."]
    outputs: Any = step.get("OutputParameters") or []
    for index, item in enumerate(cast("list[Any]", outputs) if isinstance(outputs, list) else [0]):
        members = cast("Members", item) if isinstance(item, dict) else {}
        if not members.get("OutputName") or members.get("OutputType") not in OUTPUT_TYPES:
            found.append(
                f"{where}: OutputParameters[{index}] has an OutputName and an OutputType of "
                f"{', '.join(OUTPUT_TYPES)}; given {item!r:.80}."
            )
    return found


def _fail(step: Members, where: str) -> list[str]:
    arguments: Members = step.get("Arguments") or {}
    return _unknown(arguments, ("ErrorMessage",), f"{where}: Arguments")


def _nothing(step: Members, where: str) -> list[str]:
    return []


OWN: dict[str, Callable[[Members, str], list[str]]] = {
    "Condition": _condition,
    "Lambda": _lambda,
    "Fail": _fail,
}

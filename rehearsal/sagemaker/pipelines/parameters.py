"""Parameters of a pipeline: as the definition declares them, as an execution is given them.

("Pipeline parameters", SageMaker Developer Guide.) They come as strings and are read by their type.
"""

from dataclasses import dataclass
from typing import Any, cast

FIELDS = ("DefaultValue", "EnumValues", "Name", "Type")
MOST = 200


@dataclass(frozen=True)
class Parameter:
    """A parameter of a pipeline.

    Attributes:
        name: by which an execution gives it.
        type: String, Integer, Float or Boolean.
        default: taken if an execution does not give it; None: it has to.
        choices: the values that are allowed; empty: any.
    """

    name: str
    type: str
    default: Any = None
    choices: tuple[Any, ...] = ()


def _boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


READERS: dict[str, Any] = {"String": str, "Integer": int, "Float": float, "Boolean": _boolean}
KINDS: dict[str, tuple[type, ...]] = {
    "String": (str,),
    "Integer": (int,),
    "Float": (int, float),
    "Boolean": (bool,),
}


def parameter_problems(given: Any) -> list[str]:
    """Everything wrong with the declared parameters of a definition."""
    if not isinstance(given, list):
        return [f"Parameters is a list, given {given!r:.60}. Expecting start of Json Array."]
    found: list[str] = []
    names: set[str] = set()
    items = cast("list[Any]", given)
    if len(items) > MOST:
        found.append(f"Parameters holds {len(items)}, allowed are {MOST}.")
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            found.append(f"Parameters[{index}] is an object, given {item!r:.60}.")
            continue
        found += _problems(cast("dict[str, Any]", item), f"Parameters[{index}]")
        name = str(item.get("Name"))  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        if name in names:
            found.append(f"Parameters[{index}].Name: {name!r} is there already.")
        names.add(name)
    return found


def _problems(item: dict[str, Any], where: str) -> list[str]:
    found = [
        f"{where}: Cannot parse object, unknown property '{name}'; allowed are {', '.join(FIELDS)}."
        for name in item
        if name not in FIELDS
    ]
    if not isinstance(item.get("Name"), str) or not item["Name"]:
        found.append(f"{where}.Name is a text, given {item.get('Name')!r:.60}.")
    kind = item.get("Type")
    if kind not in READERS:
        return [*found, f"{where}.Type: given {kind!r:.60}, allowed are {', '.join(READERS)}."]
    for name in ("DefaultValue", "EnumValues"):
        value: Any = item.get(name)
        values = cast("list[Any]", value if isinstance(value, list) else [value])
        found += [
            f"{where}.{name} is of type {kind}, given {each!r:.60}."
            for each in values
            if each is not None and not _fits(each, kind)
        ]
    return found


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool) and kind != "Boolean":
        return False
    return isinstance(value, KINDS[kind])


def parse_parameters(given: list[dict[str, Any]]) -> dict[str, Parameter]:
    """The declared parameters that have been checked, by name."""
    return {
        item["Name"]: Parameter(
            item["Name"], item["Type"], item.get("DefaultValue"), tuple(item.get("EnumValues", ()))
        )
        for item in given
    }


def values(declared: dict[str, Parameter], given: list[dict[str, str]]) -> dict[str, Any]:
    """The values of an execution's parameters, each of its own type.

    Args:
        declared: by the definition.
        given: PipelineParameters of StartPipelineExecution.

    Raises:
        ValueError: unknown names, wrong types, values not allowed, values missing: all at once.
    """
    found: list[str] = []
    result: dict[str, Any] = {}
    for item in given:
        name, text = item["Name"], item["Value"]
        parameter = declared.get(name)
        if parameter is None:
            known = ", ".join(declared) or "none"
            found.append(f"Unknown parameter '{name}'; the pipeline has {known}.")
        elif name in result:
            found.append(f"Parameter '{name}' is given twice.")
        else:
            try:
                result[name] = _read(parameter, text)
            except ValueError as error:
                found.append(str(error))
    named = {item["Name"] for item in given}
    for name, parameter in declared.items():
        if name not in named and parameter.default is None:
            found.append(f"Parameter '{name}' is undefined: it has no default and was not given.")
        elif name not in named:
            result[name] = parameter.default
    if found:
        raise ValueError(" ".join(found))
    return result


def _read(parameter: Parameter, text: str) -> Any:
    if text == "":  # the service's own words (aws/sagemaker-python-sdk#4016)
        raise ValueError('[string "" is too short (length: 0, required minimum: 1)]')
    try:
        value = READERS[parameter.type](text)
    except ValueError as error:
        raise ValueError(
            f"Parameter '{parameter.name}' is of type {parameter.type}, given '{text:.80}'."
        ) from error
    if parameter.choices and value not in parameter.choices:
        allowed = ", ".join(str(choice) for choice in parameter.choices)
        raise ValueError(
            f"Parameter '{parameter.name}': given '{text:.80}', allowed are {allowed}."
        )
    return value

"""Turns CloudFormation's intrinsic functions into plausible strings, over all stacks at once.

Two resources that refer to each other end up with equal strings, also across stacks, so a judge
can compare ARNs in policies with ARNs of resources as AWS would.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from typing import Any

from tests.security.judges.intrinsics import PLAIN
from tests.security.judges.naming import generated_name, kind_of
from tests.security.judges.nodes import Node, Place
from tests.security.judges.templates import Template

NO_VALUE = object()


class UnresolvedError(ValueError):
    """An intrinsic function that this resolver does not know, or a reference to nothing."""


class World:
    """All stacks of one environment, with their references resolved.

    Args:
        templates: the stacks.
        place: partition, Region and account that the pseudo parameters stand for. A stack that
            is bound to an account or a Region keeps its own.
    """

    def __init__(self, templates: Sequence[Template], place: Place | None = None) -> None:
        self.place = place or Place()
        self.templates = {template.stack: template for template in templates}
        self.nodes = [
            Node(template.stack, logical_id, body["Type"], body)
            for template in templates
            for logical_id, body in template.resources.items()
        ]
        self._by_id = {(node.stack, node.logical_id): node for node in self.nodes}
        self._properties: dict[Node, dict[str, Any]] = {}

    # -- looking things up ----------------------------------------------------------------

    def of(self, *types: str) -> Iterator[Node]:
        """The resources of the given types, in template order."""
        return (node for node in self.nodes if node.type in types)

    def properties(self, node: Node) -> dict[str, Any]:
        """A resource's properties with every intrinsic resolved."""
        if node not in self._properties:
            raw = node.body.get("Properties", {})
            self._properties[node] = self.resolve(raw, node.stack)
        return self._properties[node]

    def find(self, text: object, *types: str) -> Node | None:
        """The resource that a resolved ARN, name, id or URL stands for; None if it is not ours."""
        if not isinstance(text, str):
            return None
        for node in self._names.get(text.removesuffix(":*"), ()):
            if not types or node.type in types:
                return node
        return None

    @functools.cached_property
    def _names(self) -> dict[str, list[Node]]:
        names: dict[str, list[Node]] = {}
        for node in self.nodes:
            for text in {self.arn(node), self.name(node), self.ref(node)}:
                names.setdefault(text, []).append(node)
        return names

    # -- names ----------------------------------------------------------------------------

    def account(self, stack: str) -> str:
        """The stack's account."""
        return self.templates[stack].account or self.place.account

    def region(self, stack: str) -> str:
        """The stack's Region."""
        return self.templates[stack].region or self.place.region

    def name(self, node: Node) -> str:
        """The physical name: the one given, else one like CloudFormation's."""
        given = node.body.get("Properties", {}).get(kind_of(node.type).name)
        if given is not None:
            text = self.resolve(given, node.stack)
            if isinstance(text, str):
                return text
        return generated_name(node.stack, node.logical_id, node.type)

    def arn(self, node: Node) -> str:
        """The resource's ARN. A log group's comes without the `:*` that GetAtt adds."""
        kind = kind_of(node.type)
        region = self.region(node.stack) if kind.scope == "region" else ""
        account = "" if kind.scope == "none" else self.account(node.stack)
        resource = kind.resource.format(name=self._arn_name(node))
        return f"arn:{self.place.partition}:{kind.service}:{region}:{account}:{resource}"

    def _arn_name(self, node: Node) -> str:
        raw = node.body.get("Properties", {})
        name = self.name(node)
        if node.type == "AWS::IAM::Role" or node.type == "AWS::IAM::ManagedPolicy":
            return str(self.resolve(raw.get("Path", "/"), node.stack)).lstrip("/") + name
        if node.type == "AWS::Events::Rule":
            bus = self.resolve(raw.get("EventBusName", "default"), node.stack)
            bus = str(bus).rpartition("/")[2]
            return name if bus == "default" else f"{bus}/{name}"
        if node.type == "AWS::Scheduler::Schedule":
            return f"{self.resolve(raw.get('GroupName', 'default'), node.stack)}/{name}"
        if node.type == "AWS::SSM::Parameter":
            return name.lstrip("/")
        return name

    def ref(self, node: Node) -> str:
        """What Ref returns for the resource."""
        kind = kind_of(node.type)
        if kind.ref == "arn":
            return self.arn(node)
        if kind.ref == "url":
            region, suffix = self.region(node.stack), self.place.url_suffix
            return f"https://sqs.{region}.{suffix}/{self.account(node.stack)}/{self.name(node)}"
        return self.name(node)

    def attribute(self, node: Node, attribute: str) -> str:
        """What Fn::GetAtt returns for the resource."""
        if attribute in ("Arn", "TopicArn", "RuleArn"):
            arn = self.arn(node)
            return f"{arn}:*" if node.type == "AWS::Logs::LogGroup" else arn
        if attribute in ("QueueName", "TopicName", "Name", "KeyId"):
            return self.name(node)
        if attribute == "QueueUrl":
            return self.ref(node)
        if attribute == "StreamArn":
            return f"{self.arn(node)}/stream/2026-01-01T00:00:00.000"
        return f"{self.name(node)}.{attribute}"

    # -- resolving ------------------------------------------------------------------------

    def resolve(self, value: Any, stack: str) -> Any:
        """Resolve a value of a template.

        Raises:
            UnresolvedError: an unknown function, or a reference to something absent.
        """
        if isinstance(value, list):
            items = [self.resolve(item, stack) for item in value]
            return [item for item in items if item is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (key, argument), *_ = value.items()
            if key in ("Ref", "Condition") or key.startswith("Fn::"):
                return self._call(key, argument, stack)
        resolved = {key: self.resolve(item, stack) for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not NO_VALUE}

    def node_of(self, value: Any, stack: str) -> Node | None:
        """The resource that a Ref, GetAtt, ImportValue or GetStackOutput points at, if any."""
        if not (isinstance(value, dict) and len(value) == 1):
            return None
        (key, argument), *_ = value.items()
        if key == "Ref":
            return self._by_id.get((stack, argument))
        if key == "Fn::GetAtt":
            target = argument.split(".")[0] if isinstance(argument, str) else argument[0]
            return self._by_id.get((stack, target))
        if key in ("Fn::ImportValue", "Fn::GetStackOutput"):
            where, inner = self._output(key, argument, stack)
            return self.node_of(inner, where)
        return None

    def _call(self, function: str, argument: Any, stack: str) -> Any:
        if function == "Condition" and not isinstance(argument, str):
            return {"Condition": self.resolve(argument, stack)}
        if function in PLAIN:
            return PLAIN[function](self.resolve(argument, stack))
        method = getattr(self, "_fn_" + function.removeprefix("Fn::").lower(), None)
        if method is None:
            raise UnresolvedError(f"{stack}: unknown intrinsic function {function}")
        return method(argument, stack)

    def _fn_ref(self, name: str, stack: str) -> Any:
        pseudo: dict[str, Any] = {
            "AWS::Partition": self.place.partition,
            "AWS::Region": self.region(stack),
            "AWS::AccountId": self.account(stack),
            "AWS::URLSuffix": self.place.url_suffix,
            "AWS::StackName": stack,
            "AWS::StackId": f"arn:{self.place.partition}:cloudformation:{self.region(stack)}"
            f":{self.account(stack)}:stack/{stack}/00000000-0000-0000-0000-000000000000",
            "AWS::NoValue": NO_VALUE,
            "AWS::NotificationARNs": [],
        }
        if name in pseudo:
            return pseudo[name]
        node = self._by_id.get((stack, name))
        if node is not None:
            return self.ref(node)
        parameter = self.templates[stack].body.get("Parameters", {}).get(name)
        if parameter is None:
            raise UnresolvedError(f"{stack}: Ref to {name}, which is not in the template")
        return parameter.get("Default", f"parameter-{name}")

    def _fn_getatt(self, argument: Any, stack: str) -> str:
        target, attribute = (
            argument.split(".", 1) if isinstance(argument, str) else (argument[0], argument[1])
        )
        node = self._by_id.get((stack, target))
        if node is None:
            raise UnresolvedError(f"{stack}: GetAtt of {target}, which is not in the template")
        return self.attribute(node, str(self.resolve(attribute, stack)))

    def _output(self, function: str, argument: Any, stack: str) -> tuple[str, Any]:
        """The stack and the raw value behind a reference to another stack's output."""
        if function == "Fn::GetStackOutput":
            named = self.resolve(argument, stack)
            where, output = named["StackName"], named["OutputName"]
            try:
                return where, self.templates[where].body["Outputs"][output]["Value"]
            except KeyError:
                raise UnresolvedError(f"{stack}: no output {output} in stack {where}") from None
        wanted = self.resolve(argument, stack)
        for where, template in self.templates.items():
            for output in template.body.get("Outputs", {}).values():
                if "Export" in output and self.resolve(output["Export"]["Name"], where) == wanted:
                    return where, output["Value"]
        raise UnresolvedError(f"{stack}: ImportValue of {wanted}, which no stack exports")

    def _fn_importvalue(self, argument: Any, stack: str) -> Any:
        where, value = self._output("Fn::ImportValue", argument, stack)
        return self.resolve(value, where)

    def _fn_getstackoutput(self, argument: Any, stack: str) -> Any:
        where, value = self._output("Fn::GetStackOutput", argument, stack)
        return self.resolve(value, where)

    def _fn_sub(self, argument: Any, stack: str) -> str:
        text, given = argument if isinstance(argument, list) else (argument, {})

        def replace(match: re.Match[str]) -> str:
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in given:
                return str(self.resolve(given[name], stack))
            if "." in name:
                return self._fn_getatt(name, stack)
            return str(self._fn_ref(name, stack))

        return re.sub(r"\$\{([^}]*)\}", replace, text)

    def _fn_getazs(self, argument: Any, stack: str) -> list[str]:
        region = self.resolve(argument, stack) or self.region(stack)
        return [f"{region}{letter}" for letter in "abc"]

    def _fn_findinmap(self, argument: Any, stack: str) -> Any:
        name, first, second, *rest = self.resolve(argument, stack)
        try:
            return self.templates[stack].body["Mappings"][name][first][second]
        except KeyError:
            if rest and "DefaultValue" in rest[0]:
                return rest[0]["DefaultValue"]
            raise UnresolvedError(f"{stack}: no {first}.{second} in mapping {name}") from None

    def joined(self, value: Any, stack: str) -> Any:
        """A raw value with references to other stacks resolved and all else left as it is.

        For tools that look at one template at a time and take an imported value for a missing one.
        """
        if isinstance(value, list):
            return [self.joined(item, stack) for item in value]
        if not isinstance(value, dict):
            return value
        if len(value) == 1 and next(iter(value)) in ("Fn::ImportValue", "Fn::GetStackOutput"):
            return self.resolve(value, stack)
        return {key: self.joined(item, stack) for key, item in value.items()}

    # -- conditions -----------------------------------------------------------------------

    def _fn_if(self, argument: Any, stack: str) -> Any:
        condition, when_true, when_false = argument
        holds = self._fn_condition(condition, stack)
        return self.resolve(when_true if holds else when_false, stack)

    def _fn_condition(self, name: str, stack: str) -> bool:
        return bool(self.resolve(self.templates[stack].body["Conditions"][name], stack))

"""DynamoDB's condition and update expressions, as far as the records use them.

After "Expressions" in the DynamoDB developer guide: comparing with an attribute that is not
there is false, but for `<>`, which is true.
"""

import re
from decimal import Decimal
from typing import Any

Item = dict[str, dict[str, Any]]
_TOKENS = re.compile(r"\s*(attribute_not_exists|AND|OR|<>|<=|>=|[<>=(),]|[#:]\w+)")


def _plain(attribute: dict[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    return Decimal(value) if kind == "N" else value.encode() if kind == "S" else value


class Condition:
    """One condition expression with its names and values, to be held against an item."""

    def __init__(self, text: str, names: dict[str, str], values: Item) -> None:
        self.tokens = _TOKENS.findall(text)
        assert "".join(self.tokens) == re.sub(r"\s", "", text), f"unread parts in {text!r}"
        self.names, self.values = names, values

    def holds(self, item: Item | None) -> bool:
        self.at, self.item = 0, item or {}
        result = self._either()
        assert self.at == len(self.tokens)
        return result

    def _take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1]

    def _peek(self) -> str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def _either(self) -> bool:
        result = self._both()
        while self._peek() == "OR":
            self._take()
            result = self._both() or result
        return result

    def _both(self) -> bool:
        result = self._one()
        while self._peek() == "AND":
            self._take()
            result = self._one() and result
        return result

    def _one(self) -> bool:
        token = self._take()
        if token == "(":
            result = self._either()
            assert self._take() == ")"
            return result
        if token == "attribute_not_exists":
            assert self._take() == "("
            name = self._take()
            assert self._take() == ")"
            return self.names[name] not in self.item
        operator, right = self._take(), self.values[self._take()]
        return self._compare(self.item.get(self.names[token]), operator, right)

    def _compare(self, left: dict[str, Any] | None, operator: str, right: dict[str, Any]) -> bool:
        if left is None or set(left) != set(right):
            return operator == "<>"
        a, b = _plain(left), _plain(right)
        return {"=": a == b, "<>": a != b, "<": a < b}[operator]


def update(item: Item, text: str, names: dict[str, str], values: Item) -> Item:
    """The item after `SET a = b, … REMOVE a, … ADD a b`."""
    changed = dict(item)
    parts = re.split(r"\b(SET|REMOVE|ADD)\b", text)[1:]
    for verb, clause in zip(parts[::2], parts[1::2], strict=True):
        for action in clause.split(","):
            words = action.replace("=", " ").split()
            name = names[words[0]]
            if verb == "REMOVE":
                changed.pop(name, None)
            elif verb == "SET":
                changed[name] = values[words[1]]
            else:
                before = Decimal(changed.get(name, {"N": "0"})["N"])
                changed[name] = {"N": str(before + Decimal(values[words[1]]["N"]))}
    return changed

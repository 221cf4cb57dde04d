"""The intrinsic functions that need nothing but their resolved arguments."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

PLAIN: dict[str, Callable[[Any], Any]] = {
    "Fn::And": all,
    "Fn::Base64": lambda text: base64.b64encode(str(text).encode()).decode(),
    "Fn::Cidr": lambda given: [f"10.0.{index}.0/24" for index in range(int(given[1]))],
    "Fn::Contains": lambda given: given[1] in given[0],
    "Fn::Equals": lambda given: given[0] == given[1],
    "Fn::Join": lambda given: given[0].join(str(part) for part in given[1]),
    "Fn::Length": len,
    "Fn::Not": lambda given: not given[0],
    "Fn::Or": any,
    "Fn::Select": lambda given: given[1][int(given[0])],
    "Fn::Split": lambda given: str(given[1]).split(given[0]),
    "Fn::ToJsonString": json.dumps,
}

"""The tags of a resource, for what is made by it later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import jsii


@jsii.implements(cdk.IAnyProducer)
class _Tags:
    """Gives a resource's tags when the template is written: nobody adds any after that."""

    def __init__(self, find: Callable[[], cdk.ITaggable]) -> None:
        self._find = find

    def produce(self, context: Any) -> Any:
        found: list[dict[str, str]] = self._find().tags.render_tags() or []
        return [{"Key": one["key"], "Value": one["value"]} for one in found]


def tags_of(find: Callable[[], cdk.ITaggable]) -> cdk.IResolvable:
    """A list of a resource's tags, as a token that is left out where there are none.

    Args:
        find: Gives the resource; it need not be there yet.
    """
    return cdk.Lazy.uncached_any(_Tags(find), omit_empty_array=True)

"""Where the embedded SageMaker keeps its resources: one table a kind, in memory, thread-safe.

A resource is a name, an ARN, two times, tags and `fields`, the members that its Describe operation
answers. A handler reads a snapshot (`resource.view()`), a job's thread writes (`update`); both take
the table's one lock, which is never held across a call to another service.

    jobs = tables.table("training-job")
    job = jobs.add(name, arn, fields, tags=call.parameters.get("Tags"))   # ResourceInUse if taken
    jobs.require(name)                                                    # as AWS if it is missing
    jobs.update(name, TrainingJobStatus="Completed")
"""

import copy
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from rehearsal.aws_json import ServiceError

Fields = dict[str, Any]
Missing = Callable[[str], ServiceError]
TAGS_MOST = 50


def now() -> float:
    """Epoch seconds to the millisecond, as AWS's JSON carries a timestamp."""
    return round(time.time(), 3)


def not_found(name: str) -> ServiceError:
    """The usual answer about a resource that is not there."""
    return ServiceError("ResourceNotFound", f"Could not find {name}.")


@dataclass
class Resource:
    """One resource.

    Attributes:
        kind: of the table, as in its ARN: training-job, pipeline, model-package-group.
        name: unique in its table.
        arn: the whole ARN.
        fields: what Describe answers, without name, ARN, times and tags.
        created, modified: epoch seconds.
        tags: by key.
        internal: what only the engine needs and no answer shows.
    """

    kind: str
    name: str
    arn: str
    fields: Fields
    created: float = field(default_factory=now)
    modified: float = field(default_factory=now)
    tags: dict[str, str] = field(default_factory=dict[str, str])
    internal: Fields = field(default_factory=dict[str, Any])


class Table:
    """The resources of one kind, in the order in which they were made.

    Args:
        kind: of its resources.
        lock: one for all tables, so that a handler can change two of them at once.
        missing: the error about a name that is not there.
        in_use: the error about a name that is taken, by the ARN of the one that has it.
    """

    def __init__(self, kind: str, lock: threading.RLock, missing: Missing, in_use: Missing) -> None:
        self.kind = kind
        self.lock = lock
        self.missing = missing
        self.in_use = in_use
        self._resources: dict[str, Resource] = {}

    def add(self, name: str, arn: str, fields: Fields, tags: Any = None) -> Resource:
        """Keep a new resource; `tags` as a request carries them ([{"Key":, "Value":}])."""
        resource = Resource(self.kind, name, arn, fields, tags=read_tags(tags))
        resource.modified = resource.created
        with self.lock:
            taken = self._resources.get(name)
            if taken is not None:
                raise self.in_use(taken.arn)
            self._resources[name] = resource
        return resource

    def get(self, name: str) -> Resource | None:
        """The resource itself, or None. Read its fields under `lock`, or take view()."""
        return self._resources.get(name)

    def require(self, name: str) -> Resource:
        """The resource itself; the table's `missing` error if there is none."""
        found = self._resources.get(name)
        if found is None:
            raise self.missing(name)
        return found

    def view(self, name: str) -> Resource:
        """A copy that nobody changes; the table's `missing` error if there is none."""
        with self.lock:
            return _copied(self.require(name))

    def update(self, name: str, **fields: Any) -> Resource:
        """Set fields and the time of the last change; a field given as None is taken away."""
        with self.lock:
            resource = self.require(name)
            for key, value in fields.items():
                if value is None:
                    resource.fields.pop(key, None)
                else:
                    resource.fields[key] = value
            resource.modified = now()
            return resource

    def remove(self, name: str) -> Resource:
        """Forget a resource and return it; the table's `missing` error if there is none."""
        with self.lock:
            found = self.require(name)
            del self._resources[name]
            return found

    def all(self) -> list[Resource]:
        """Copies of all, oldest first."""
        with self.lock:
            return [_copied(each) for each in self._resources.values()]

    def live(self) -> list[Resource]:
        """The resources themselves, oldest first, in a list of its own."""
        with self.lock:
            return list(self._resources.values())

    def clear(self) -> None:
        """Forget all."""
        with self.lock:
            self._resources.clear()


class Tables:
    """All tables, by kind; and the tags of whatever has an ARN."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._tables: dict[str, Table] = {}

    def table(
        self, kind: str, missing: Missing | None = None, in_use: Missing | None = None
    ) -> Table:
        """The table of a kind, made when first asked for.

        Args:
            kind: as in the ARN.
            missing: name → the error that AWS answers with; ResourceNotFound by default.
            in_use: ARN of the present holder → error; ResourceInUse by default.
        """
        with self.lock:
            if kind not in self._tables:
                self._tables[kind] = Table(kind, self.lock, missing or not_found, in_use or _in_use)
            return self._tables[kind]

    def by_arn(self, arn: str) -> Resource | None:
        """The resource with this ARN, of whatever kind, or None."""
        with self.lock:
            for table in self._tables.values():
                for resource in table.live():
                    if resource.arn == arn:
                        return resource
        return None

    def tagged(self) -> list[tuple[str, dict[str, str]]]:
        """(ARN, tags) of every resource."""
        with self.lock:
            return [(r.arn, dict(r.tags)) for t in self._tables.values() for r in t.live()]

    def clear(self) -> None:
        """Forget every resource of every table; the tables stay."""
        with self.lock:
            for table in self._tables.values():
                table.clear()


def read_tags(tags: Any) -> dict[str, str]:
    """Tags by key, from a request's list; refused as AWS refuses a key that is given twice."""
    given = cast("list[Mapping[str, str]]", tags or [])
    by_key = {tag["Key"]: tag["Value"] for tag in given}
    if len(by_key) < len(given):
        raise ServiceError("ValidationException", "Duplicate tag keys are not allowed.")
    return by_key


def write_tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as an answer carries them."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _in_use(arn: str) -> ServiceError:
    return ServiceError("ResourceInUse", f"The name is taken by {arn}.")


def _copied(resource: Resource) -> Resource:
    return Resource(
        resource.kind,
        resource.name,
        resource.arn,
        copy.deepcopy(resource.fields),
        resource.created,
        resource.modified,
        dict(resource.tags),
        dict(resource.internal),
    )


def first(resources: Iterable[Resource]) -> Resource | None:
    """The first of some resources, or None."""
    return next(iter(resources), None)

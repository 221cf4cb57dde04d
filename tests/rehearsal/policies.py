"""A role on the embedded AWS, with a statement less for a while."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

from rehearsal.process import Rehearsal


class Policy:
    """An inline policy of a role, whose statements can be taken away for a while.

    Args:
        aws: The embedded AWS.
        role: The role's name or ARN.
        name: The policy's name; may be left out where the role has only one.
    """

    def __init__(self, aws: Rehearsal, role: str, name: str | None = None) -> None:
        client, role_name = aws.client("iam"), role.rpartition("/")[2]
        if name is None:
            (name,) = client.list_role_policies(RoleName=role_name)["PolicyNames"]
        found = client.get_role_policy(RoleName=role_name, PolicyName=name)["PolicyDocument"]
        self._put = partial(client.put_role_policy, RoleName=role_name, PolicyName=name)
        self._delete = partial(client.delete_role_policy, RoleName=role_name, PolicyName=name)
        self.document: dict[str, Any] = json.loads(found) if isinstance(found, str) else found

    @property
    def statements(self) -> set[str | None]:
        """The statements' names; None stands for those without one."""
        return {each.get("Sid") for each in self.document["Statement"]}

    def without(self, *sids: str) -> AbstractContextManager[None]:
        """Take statements away."""
        left = [each for each in self.document["Statement"] if each.get("Sid") not in sids]
        assert len(left) == len(self.document["Statement"]) - len(sids), sids
        return self._being(left)

    def without_action(self, sid: str, action: str) -> AbstractContextManager[None]:
        """Take one action out of a statement, or the statement if it has no other."""
        (given,) = [each for each in self.document["Statement"] if each.get("Sid") == sid]
        actions = [given["Action"]] if isinstance(given["Action"], str) else given["Action"]
        assert action in actions, (sid, actions)
        less = {**given, "Action": [each for each in actions if each != action]}
        left = [less if each is given else each for each in self.document["Statement"]]
        return self._being([each for each in left if each["Action"]])

    @contextmanager
    def without_statements(self) -> Iterator[None]:
        """Take the whole policy away: IAM takes none without a statement."""
        self._delete()
        try:
            yield
        finally:
            self._put(PolicyDocument=json.dumps(self.document))

    @contextmanager
    def _being(self, statements: list[dict[str, Any]]) -> Iterator[None]:
        self._put(PolicyDocument=json.dumps({**self.document, "Statement": statements}))
        try:
            yield
        finally:
            self._put(PolicyDocument=json.dumps(self.document))


def without(aws: Rehearsal, role: str, sid: str) -> AbstractContextManager[None]:
    """Take a statement away from the one inline policy of a role that has it."""
    names = aws.client("iam").list_role_policies(RoleName=role.rpartition("/")[2])["PolicyNames"]
    found = [Policy(aws, role, name) for name in names]
    (policy,) = [each for each in found if sid in each.statements]
    return policy.without(sid)

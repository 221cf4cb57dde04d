"""The event bus on which the platform says what happened."""

from __future__ import annotations

from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from constructs import Construct


class PlatformBus(events.EventBus):
    """A custom event bus, encrypted with the environment's key.

    The key's policy must already admit EventBridge, as :class:`~sagelens.EncryptionKey` does;
    nothing is added to it here.

    Source: "Encrypting events on a custom event bus" (Amazon EventBridge).

    Args:
        scope: The parent construct.
        id: The construct's id.
        encryption_key: Key of the events at rest.
        description: What is announced on it, shown in the console.
    """

    def __init__(
        self, scope: Construct, id: str, *, encryption_key: kms.IKey, description: str
    ) -> None:
        super().__init__(scope, id, description=description)
        resource = self.node.default_child
        assert isinstance(resource, events.CfnEventBus)
        resource.kms_key_identifier = encryption_key.key_arn

"""EventBridge: a delivery to a queue needs the queue's policy, and the key's if it is encrypted."""

import logging
from collections.abc import Sequence
from typing import Any

from rehearsal.ministack_adapter.modules import cloudwatch, eventbridge, responses, sqs

EVENTS = "events.amazonaws.com"
logger = logging.getLogger("rehearsal")


def install() -> None:
    """Check each delivery from a rule to a queue as AWS does; a refused one goes to the target's
    dead-letter queue, if it has one ("Using dead-letter queues to process undelivered events",
    Amazon EventBridge User Guide)."""
    invoke = eventbridge._invoke_target

    def invoke_checked(
        target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], view: Any = None
    ) -> None:
        arn = str(target.get("Arn", ""))
        refusal = _refusal(arn, str(rule.get("Arn", "")))
        if refusal is None:
            invoke(target, event, rule, view)
            return
        logger.warning("EventBridge could not deliver to %s: %s", arn, refusal)
        cloudwatch.record_metric(
            "AWS/Events", "FailedInvocations", 1, "Count", {"RuleName": rule.get("Name", "")}
        )
        dead_letters: dict[str, Any] = target.get("DeadLetterConfig") or {}
        fallback = str(dead_letters.get("Arn", ""))
        if fallback and _refusal(fallback, str(rule.get("Arn", ""))) is None:
            invoke({"Arn": fallback, "Id": target.get("Id", "")}, event, rule, view)

    eventbridge._invoke_target = invoke_checked


def put_event(
    account: str, region: str, source: str, detail_type: str, detail: str, resources: Sequence[str]
) -> None:
    """Put a service's own event (its source begins with `aws.`) onto the default bus.

    Args:
        account, region: where it happens.
        source: for example aws.sagemaker.
        detail_type: as EventBridge names it.
        detail: JSON.
        resources: ARNs.
    """
    entry = {
        "Source": source,
        "DetailType": detail_type,
        "Detail": detail,
        "Resources": list(resources),
    }
    with responses.request_scope(account, region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def _refusal(arn: str, rule_arn: str) -> str | None:
    if ":sqs:" not in arn:
        return None
    account = responses.get_account_id()
    if sqs._queue_by_arn(arn) is None:
        return None  # MiniStack logs this itself
    if not sqs.queue_policy_allows(arn, EVENTS, rule_arn, account):
        return "the queue's policy, or its key's, does not allow events.amazonaws.com to send"
    return None

"""The condition keys that calls carry, to resources and to KMS."""

from __future__ import annotations

from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World


def service_context(world: World, source: Node, source_arn: str | None = None) -> dict[str, str]:
    """The condition keys of a call that a service makes for one of our resources."""
    return {
        "aws:securetransport": "true",
        "aws:principalisawsservice": "true",
        "aws:sourceaccount": world.account(source.stack),
        "aws:sourcearn": source_arn or world.arn(source),
    }


def role_context(world: World, role: Node) -> dict[str, str]:
    """The condition keys of a call that is made with a role's credentials."""
    account = world.account(role.stack)
    return {
        "aws:securetransport": "true",
        "aws:principalisawsservice": "false",
        "aws:principalarn": world.arn(role),
        "aws:principalaccount": account,
        "aws:requestedregion": world.region(role.stack),
        "aws:resourceaccount": account,
        "s3:resourceaccount": account,
        "kms:calleraccount": account,
    }


def encryption_context(world: World, target: Node) -> dict[str, str]:
    """The encryption context that a service sends to KMS for a resource, as condition keys."""
    arn, name = world.arn(target), world.name(target)
    contexts = {
        "AWS::SQS::Queue": {"aws:sqs:arn": arn},
        "AWS::SNS::Topic": {"aws:sns:topicarn": arn},
        "AWS::S3::Bucket": {"aws:s3:arn": arn},
        "AWS::Logs::LogGroup": {"aws:logs:arn": arn},
        "AWS::Events::EventBus": {"aws:events:event-bus:arn": arn},
        "AWS::Lambda::Function": {"aws:lambda:functionarn": arn},
        "AWS::StepFunctions::StateMachine": {"aws:states:statemachinearn": arn},
        "AWS::DynamoDB::Table": {
            "aws:dynamodb:tablename": name,
            "aws:dynamodb:subscriberid": world.account(target.stack),
        },
    }
    return {f"kms:encryptioncontext:{key}": v for key, v in contexts.get(target.type, {}).items()}

"""Which key encrypts a resource at rest."""

from __future__ import annotations

from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

# Where each type keeps the key that encrypts it at rest.
KEY_PROPERTY: dict[str, tuple[str, ...]] = {
    "AWS::SQS::Queue": ("KmsMasterKeyId",),
    "AWS::SNS::Topic": ("KmsMasterKeyId",),
    "AWS::DynamoDB::Table": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::DynamoDB::GlobalTable": ("SSESpecification", "KMSMasterKeyId"),
    "AWS::Logs::LogGroup": ("KmsKeyId",),
    "AWS::Events::EventBus": ("KmsKeyIdentifier",),
    "AWS::Lambda::Function": ("KmsKeyArn",),
    "AWS::StepFunctions::StateMachine": ("EncryptionConfiguration", "KmsKeyId"),
}


def key_id(world: World, target: Node) -> object:
    """The key id, ARN or alias that a resource is encrypted with; None if it names none."""
    value: object = world.properties(target)
    if target.type == "AWS::S3::Bucket":
        return _bucket_key(world, target)
    for step in KEY_PROPERTY.get(target.type, ()):
        value = value.get(step) if isinstance(value, dict) else None
    return value if target.type in KEY_PROPERTY else None


def _bucket_key(world: World, bucket: Node) -> object:
    encryption = world.properties(bucket).get("BucketEncryption", {})
    for rule in encryption.get("ServerSideEncryptionConfiguration", []):
        default = rule.get("ServerSideEncryptionByDefault", {})
        if str(default.get("SSEAlgorithm", "")).startswith("aws:kms"):
            return default.get("KMSMasterKeyID", "alias/aws/s3")
    return None


def key_node(world: World, identifier: object) -> Node | None:
    """The key behind a key id, an ARN or an alias."""
    node = world.find(identifier, "AWS::KMS::Key", "AWS::KMS::Alias")
    if node is not None and node.type == "AWS::KMS::Alias":
        return world.find(world.properties(node).get("TargetKeyId"), "AWS::KMS::Key")
    return node

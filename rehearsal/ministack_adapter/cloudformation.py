"""CloudFormation: further resource types, and attributes that MiniStack leaves out."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

from rehearsal.ministack_adapter.modules import dynamodb, kms, provisioners, s3, sns, stacks

Attributes = Mapping[str, Any]
Create = Callable[[str, dict[str, Any], str], tuple[str, Attributes]]
Update = Callable[[str, dict[str, Any], dict[str, Any], str], tuple[str, Attributes]]
Delete = Callable[[str, dict[str, Any]], None]
_threaded: set[str] = set()


def registered_types() -> frozenset[str]:
    """The resource types that can be provisioned now."""
    return frozenset(provisioners._RESOURCE_HANDLERS)


def register_type(
    resource_type: str, create: Create, update: Update, delete: Delete, *, threaded: bool = False
) -> None:
    """Add (or replace) a resource type.

    Args:
        resource_type: for example Custom::S3AutoDeleteObjects.
        create: (logical id, properties, stack name) -> (physical id, attributes for GetAtt).
        update: (physical id, old, new properties, stack name) -> the same.
        delete: (physical id, properties).
        threaded: run off the event loop, which anything that waits or calls a service must.
    """
    provisioners._RESOURCE_HANDLERS[resource_type] = {
        "create": create,
        "update": update,
        "delete": delete,
    }
    if threaded:
        _threaded.add(resource_type)


def describe_type(resource_type: str, *, named: str, replacing: Iterable[str]) -> None:
    """Tell CloudFormation how updates of a registered type go.

    A stack's tags join its `Tags`. A change of a property in `replacing` makes a new resource, the
    old one is deleted afterwards; with the same name given that is refused, as on AWS.

    Args:
        resource_type: for example AWS::SageMaker::Pipeline.
        named: the property that holds the resource's name.
        replacing: the properties that cannot be changed in place.
    """
    provisioners._REPLACING_PROPERTIES[resource_type] = tuple(replacing)
    provisioners._CUSTOM_NAME_REPLACEMENT[resource_type] = {"name": named}
    provisioners._STACK_TAG_PROPERTY[resource_type] = ("Tags", "list")


def install() -> None:
    """Threads for our types, and what MiniStack's types leave out."""
    original = stacks._runs_on_worker_thread

    def threaded(resource_type: str) -> bool:
        return resource_type in _threaded or bool(original(resource_type))

    stacks._runs_on_worker_thread = threaded
    _vpc_attributes()
    _buckets()
    _after("AWS::DynamoDB::Table", _complete_table)
    _after("AWS::SNS::Topic", _complete_topic)


def _vpc_attributes() -> None:
    """AWS::EC2::VPC answers GetAtt CidrBlock, CidrBlockAssociations and Ipv6CidrBlocks."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::EC2::VPC"]
    create, update = handlers["create"], handlers["update"]

    def more(result: tuple[str, dict[str, Any]], props: dict[str, Any]) -> tuple[str, Any]:
        physical_id, attributes = result
        block = props.get("CidrBlock", "10.0.0.0/16")
        association = physical_id.replace("vpc-", "vpc-cidr-assoc-")
        extra = {
            "CidrBlock": block,
            "CidrBlockAssociations": [association],
            "Ipv6CidrBlocks": [],
        }
        return physical_id, {**extra, **attributes}

    def created(logical_id: str, props: dict[str, Any], stack: str) -> tuple[str, Any]:
        return more(create(logical_id, props, stack), props)

    def updated(physical_id: str, old: Any, new: dict[str, Any], *rest: Any) -> tuple[str, Any]:
        return more(update(physical_id, old, new, *rest), new)

    handlers["create"], handlers["update"] = created, updated


def _after(resource_type: str, complete: Callable[[str, dict[str, Any]], None]) -> None:
    """Call `complete(physical id, properties)` after each create and update of a type."""
    handlers = provisioners._RESOURCE_HANDLERS[resource_type]
    create, update = handlers["create"], handlers["update"]

    def created(logical_id: str, props: dict[str, Any], stack: str) -> tuple[str, Any]:
        result: tuple[str, Any] = create(logical_id, props, stack)
        complete(result[0], props)
        return result

    def updated(physical_id: str, old: Any, new: dict[str, Any], *rest: Any) -> tuple[str, Any]:
        result: tuple[str, Any] = update(physical_id, old, new, *rest)
        complete(result[0], new)
        return result

    handlers["create"], handlers["update"] = created, updated


def _complete_table(name: str, props: dict[str, Any]) -> None:
    """A table's key and time to live, which MiniStack passes over."""
    table: Any = dynamodb._tables.get(name)
    if table is None:
        return
    given: dict[str, Any] = props.get("SSESpecification") or {}
    key: Any = kms._resolve_key(given.get("KMSMasterKeyId", ""))
    table["SSEDescription"] = (
        {"Status": "ENABLED", "SSEType": "KMS", "KMSMasterKeyArn": key["Arn"]} if key else None
    )
    life: dict[str, Any] = props.get("TimeToLiveSpecification") or {}
    if life:
        dynamodb._update_ttl({"TableName": name, "TimeToLiveSpecification": life})


def _complete_topic(arn: str, props: dict[str, Any]) -> None:
    """A topic's key, which MiniStack passes over."""
    topic: Any = sns._topics.get(arn)
    if topic is not None and props.get("KmsMasterKeyId"):
        topic["attributes"]["KmsMasterKeyId"] = props["KmsMasterKeyId"]


def _complete_bucket(name: str, props: dict[str, Any]) -> None:
    """A bucket's tags and encryption, which MiniStack passes over."""
    tags: list[dict[str, str]] = props.get("Tags") or []
    s3._bucket_tags[name] = {tag["Key"]: tag["Value"] for tag in tags}
    _encrypt(name, props.get("BucketEncryption") or {})


def _buckets() -> None:
    """Complete buckets, which are not deleted with their contents.

    CloudFormation deletes only empty buckets ("AWS::S3::Bucket", CloudFormation User Guide).
    """
    _after("AWS::S3::Bucket", _complete_bucket)
    handlers = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    remove = handlers["delete"]

    def deleted(physical_id: str, props: dict[str, Any]) -> None:
        bucket = s3._buckets.get(physical_id)
        if bucket is not None and (bucket["objects"] or s3._bucket_has_versions(physical_id)):
            raise ValueError(
                f"The bucket {physical_id} is not empty "
                "(Service: S3, Status Code: 409, Error Code: BucketNotEmpty)"
            )
        remove(physical_id, props)

    handlers["delete"] = deleted


def _encrypt(bucket: str, encryption: dict[str, Any]) -> None:
    rules: list[dict[str, Any]] = encryption.get("ServerSideEncryptionConfiguration") or []
    if not rules:
        s3._bucket_encryption.pop(bucket, None)
        return
    default: dict[str, str] = rules[0].get("ServerSideEncryptionByDefault") or {}
    by_default = "".join(
        f"<{name}>{escape(default[name])}</{name}>"
        for name in ("SSEAlgorithm", "KMSMasterKeyID")
        if name in default
    )
    rule = f"<ApplyServerSideEncryptionByDefault>{by_default}</ApplyServerSideEncryptionByDefault>"
    keyed = str(rules[0].get("BucketKeyEnabled", False)).lower()
    xml = f"<Rule>{rule}<BucketKeyEnabled>{keyed}</BucketKeyEnabled></Rule>"
    whole = (
        f'<ServerSideEncryptionConfiguration xmlns="{s3.S3_NS}">{xml}'
        "</ServerSideEncryptionConfiguration>"
    )
    status, _, body = s3._put_bucket_encryption(bucket, whole.encode())
    if status >= 400:
        raise ValueError(f"AWS::S3::Bucket BucketEncryption rejected: {body!r}")

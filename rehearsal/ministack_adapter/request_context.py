"""What of a request a policy can speak of: its resource and its condition keys."""

import gzip
import json
from contextvars import ContextVar
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from rehearsal.ministack_adapter import sagemaker_requests
from rehearsal.ministack_adapter.modules import iam, iam_actions, responses, s3

SCALING = "application-autoscaling"
# Members of SQS and Rekognition requests that name the resource itself.
ARN_MEMBERS = ("SourceArn", "ProjectVersionArn", "ProjectArn", "DatasetArn", "ResourceArn")
# Object actions with s3:ExistingObjectTag, and those with s3:RequestObjectTag ("Actions, resources,
# and condition keys for Amazon S3", Service Authorization Reference).
READS_TAGS = frozenset(
    f"s3:{verb}Object{version}{part}"
    for verb, part in (
        ("Get", ""),
        ("Get", "Tagging"),
        ("Put", "Tagging"),
        ("Delete", "Tagging"),
        ("Get", "Acl"),
        ("Put", "Acl"),
    )
    for version in ("", "Version")
)
# "Actions, resources, and condition keys for Amazon CloudWatch Logs", the same reference.
OF_STREAMS = frozenset({"DeleteLogStream", "GetLogEvents", "PutLogEvents"})
WRITES_TAGS = frozenset({"s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"})
_body: ContextVar[bytes] = ContextVar("rehearsal_request_body", default=b"")
_copied: ContextVar[tuple[str, str]] = ContextVar("rehearsal_copy_source", default=("", ""))


def install() -> None:
    """Wrap the extraction of resources and condition keys."""
    _keep_body()
    _object_tag_keys()
    _copy_source_tags()
    _job_keys()
    _denials()


def _denials() -> None:
    """A denial of SageMaker's names the resource, as on AWS."""
    original = iam_actions.access_denied_response

    def denied(service: str, action: str, principal: str, request_id: str, **more: Any) -> Any:
        if service == "sagemaker" and not more.get("message") and not more.get("error_code"):
            told = (action, principal, more.get("resource_arn", "*"), more.get("explicit_deny"))
            more["message"] = iam_actions.identity_denial_message(*told)
        return original(service, action, principal, request_id, **more)

    iam_actions.access_denied_response = denied


def _job_keys() -> None:
    """The sagemaker: condition keys, beside those of the tags that a request carries."""
    original = iam_actions.request_tag_context

    def with_keys(service: str, iam_action: str, body: bytes, params: Any) -> dict[str, Any]:
        context: dict[str, Any] = original(service, iam_action, body, params)
        if service == "sagemaker" and ":Create" in iam_action:
            return {**context, **sagemaker_requests.condition_keys(body)}
        if service == SCALING:
            return {**context, **_scaling_keys(body)}
        if iam_action == "cloudwatch:PutMetricData":
            return {**context, **_metric_keys(body)}
        return context

    iam_actions.request_tag_context = with_keys


def _keep_body() -> None:
    """Remember the request's body, which a tagging request's condition keys come from.

    On the way, the resources of requests that MiniStack would take for `*`.
    """
    original = iam_actions.extract_resource_arn

    def extract(service: str, method: str, path: str, headers: Any, body: bytes, *rest: Any) -> str:
        _body.set(body)
        _copied.set(("", ""))
        known: str = original(service, method, path, headers, body, *rest)
        if service == "iam":
            return _with_path(known)
        if service == "logs":
            return known + _stream(headers, body)
        if known == "*" and service in ("rekognition", "sqs"):
            return _named_resource(service, body)
        if known == "*" and service == "monitoring" and _looks_at_alarms(path, headers, body):
            place = f"{responses.get_region()}:{responses.get_account_id()}"
            return f"arn:aws:cloudwatch:{place}:alarm:*"
        if known == "*" and service == SCALING:
            # A target's ARN holds an id that AWS makes up; policies name it by a wildcard.
            place = f"{responses.get_region()}:{responses.get_account_id()}"
            return f"arn:aws:{SCALING}:{place}:scalable-target/*"
        if service == "sagemaker":
            operation = str(headers.get("x-amz-target", "")).rpartition(".")[2]
            place = responses.get_region(), responses.get_account_id()
            return sagemaker_requests.resource(operation, body, *place)
        return known

    iam_actions.extract_resource_arn = extract


def _with_path(arn: str) -> str:
    """The ARN of a role that is called by its name: its path is part of it."""
    role = iam._roles.get(arn.rpartition(":role/")[2])
    return str(role["Arn"]) if role else arn


def _stream(headers: Any, body: bytes) -> str:
    """What names the log stream, for the operations that are authorised on it."""
    operation = str(headers.get("x-amz-target", "")).rpartition(".")[2]
    if operation not in OF_STREAMS:
        return ""
    try:
        return f":log-stream:{json.loads(body)['logStreamName']}"
    except (KeyError, ValueError):
        return ""


def _scaling_keys(body: bytes) -> dict[str, Any]:
    """The condition keys of Application Auto Scaling ("Actions, resources, and condition keys")."""
    try:
        given = json.loads(body)
    except ValueError:
        return {}
    names = {"service-namespace": "ServiceNamespace", "scalable-dimension": "ScalableDimension"}
    return {f"{SCALING}:{key}": given[name] for key, name in names.items() if name in given}


def _metric_keys(body: bytes) -> dict[str, Any]:
    """The condition key of PutMetricData, in the JSON protocol; a long body is compressed."""
    try:
        given = json.loads(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
    except (OSError, ValueError):
        return {}
    return {"cloudwatch:namespace": given["Namespace"]} if "Namespace" in given else {}


def _looks_at_alarms(path: str, headers: Any, body: bytes) -> bool:
    """Whether a request is DescribeAlarms, which AWS asks for every alarm of the account."""
    name = "DescribeAlarms"
    target = str(headers.get("x-amz-target", ""))
    return (
        path.endswith(f"/{name}")
        or target.endswith(f".{name}")
        or b"Action=" + name.encode() in body
    )


def _named_resource(service: str, body: bytes) -> str:
    """The resource that a request names by ARN or by a collection's id; `*` if none."""
    if b'Arn"' not in body and b'CollectionId"' not in body:
        return "*"
    try:
        given = json.loads(body)
    except ValueError:
        return "*"
    for name, value in given.items():
        if name in ARN_MEMBERS and isinstance(value, str):
            return value
    if service == "rekognition" and given.get("CollectionId"):
        place = f"{responses.get_region()}:{responses.get_account_id()}"
        return f"arn:aws:rekognition:{place}:collection/{given['CollectionId']}"
    return "*"


def _object_tag_keys() -> None:
    """s3:RequestObjectTag of writes, and s3:ExistingObjectTag of the tagging and ACL actions."""
    original = iam_actions.s3_service_context

    def context_of(
        iam_action: str,
        query_params: dict[str, Any] | None,
        path: str = "",
        headers: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        query = query_params or {}
        context: dict[str, Any] = dict(original(iam_action, query, path, headers))
        bucket, _, key = path.lstrip("/").partition("/")
        if not key:
            return context
        if iam_action in READS_TAGS:
            for name, value in s3.object_tags_for_condition(bucket, key, query).items():
                context[f"s3:ExistingObjectTag/{name}"] = value
        if iam_action in WRITES_TAGS:
            context.update(_request_tags((headers or {}).get("x-amz-tagging", ""), iam_action))
        return context

    iam_actions.s3_service_context = context_of


def _copy_source_tags() -> None:
    """The source of a copy is read with its own s3:ExistingObjectTag keys."""
    checks = iam_actions.s3_additional_checks
    resources = iam_actions.s3_access_point_resources

    def additional(method: str, path: str, headers: dict[str, str], *rest: Any) -> Any:
        source = iam_actions._s3_source_object(headers)
        if source:
            _copied.set(source)
        return checks(method, path, headers, *rest)

    def with_tags(resource_arn: str) -> list[tuple[str, dict[str, Any]]]:
        found: list[tuple[str, dict[str, Any]]] = resources(resource_arn)
        source, version = _copied.get()
        if not source or source != resource_arn:
            return found
        bucket, _, key = source.removeprefix("arn:aws:s3:::").partition("/")
        query = {"versionId": [version]} if version else {}
        tags: dict[str, str] = s3.object_tags_for_condition(bucket, key, query)
        keys = {f"s3:ExistingObjectTag/{name}": value for name, value in tags.items()}
        return [(arn, {**keys, **more}) for arn, more in found]

    iam_actions.s3_additional_checks = additional
    iam_actions.s3_access_point_resources = with_tags


def _request_tags(header: str, iam_action: str) -> dict[str, Any]:
    tags = dict(parse_qsl(header, keep_blank_values=True))
    if iam_action != "s3:PutObject":
        tags = {**tags, **_tags_of_body(_body.get())}
    context: dict[str, Any] = {f"s3:RequestObjectTag/{k}": v for k, v in tags.items()}
    if tags:
        context["s3:RequestObjectTagKeys"] = list(tags)
    return context


def _tags_of_body(body: bytes) -> dict[str, str]:
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError:
        return {}
    pairs: dict[str, str] = {}
    for tag in root.iter():
        if tag.tag.rpartition("}")[2] == "Tag":
            parts = {child.tag.rpartition("}")[2]: child.text or "" for child in tag}
            pairs[parts.get("Key", "")] = parts.get("Value", "")
    return pairs

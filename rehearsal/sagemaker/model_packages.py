# pyright: reportMissingTypeStubs=false
"""Model packages: versions of a group, or single ones; approval, metadata, state-change events."""

from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.pipelines.state import iso
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource, Table

PACKAGE = "model-package"
EVENT = "SageMaker Model Package State Change"
MOST_PROPERTIES = 50
# What a request gives and Describe answers.
KEPT = (
    "AdditionalInferenceSpecifications",
    "CertifyForMarketplace",
    "CustomerMetadataProperties",
    "Domain",
    "DriftCheckBaselines",
    "InferenceSpecification",
    "MetadataProperties",
    "ModelApprovalStatus",
    "ModelCard",
    "ModelLifeCycle",
    "ModelMetrics",
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "SamplePayloadUrl",
    "SecurityConfig",
    "SkipModelValidation",
    "SourceAlgorithmSpecification",
    "SourceUri",
    "Task",
    "ValidationSpecification",
)
# What an update can set as it is.
SETTABLE = (
    "ApprovalDescription",
    "InferenceSpecification",
    "ModelApprovalStatus",
    "ModelCard",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
    "SourceUri",
)
LISTED = (
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageDescription",
    "ModelPackageGroupName",
    "ModelPackageName",
    "ModelPackageRegistrationType",
    "ModelPackageStatus",
    "ModelPackageVersion",
)

BATCH_LISTED = frozenset(LISTED) - {"ModelLifeCycle", "ModelPackageName"} | {
    "CreationTime",
    "ModelPackageArn",
}


def operations(context: Context, groups: Table) -> Registry:
    """The operations of packages; `groups` is the table of their groups."""
    api = PackageOperations(context, groups)
    return {
        "CreateModelPackage": api.create,
        "DescribeModelPackage": api.describe,
        "BatchDescribeModelPackage": api.describe_many,
        "UpdateModelPackage": api.update,
        "ListModelPackages": api.list,
        "DeleteModelPackage": api.delete,
    }


def in_group(context: Context, group: str) -> list[Resource]:
    """The packages of a group, the oldest first."""
    found = context.tables.table(PACKAGE).live()
    return [each for each in found if each.fields.get("ModelPackageGroupName") == group]


class PackageOperations:
    """Model packages.

    Args:
        context: of the service.
        groups: the table of their groups.
    """

    def __init__(self, context: Context, groups: Table) -> None:
        self._context = context
        self._groups = groups
        self._table: Table = context.tables.table(PACKAGE, self._missing, _taken)

    def create(self, call: Call) -> Fields:
        """CreateModelPackage: a new version of a group, or a package by a name of its own."""
        given = call.parameters
        named, grouped = given.get("ModelPackageName"), given.get("ModelPackageGroupName")
        if bool(named) == bool(grouped):
            raise ServiceError(
                "ValidationException",
                "Exactly one of ModelPackageName and ModelPackageGroupName must be given.",
            )
        if grouped and given.get("Tags"):
            raise ServiceError(
                "ValidationException",
                "Tags cannot be given for a versioned model package; it uses those of its group.",
            )
        self._check_model(given)
        fields: Fields = {
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CertifyForMarketplace": False,
            **{name: given[name] for name in KEPT if name in given},
        }
        if grouped:
            made = self._add_version(grouped.rpartition("/")[2], fields)
        else:
            fields["ModelPackageName"] = named
            arn = self._context.arn(PACKAGE, str(named))
            made = self._table.add(str(named), arn, fields, tags=given.get("Tags"))
        self._tell(made)
        return {"ModelPackageArn": made.arn}

    def _add_version(self, name: str, fields: Fields) -> Resource:
        with self._table.lock:
            group = self._groups.require(name)
            version = int(group.internal.get("versions", 0)) + 1  # a number is never used twice
            group.internal["versions"] = version
            fields.setdefault("ModelApprovalStatus", "PendingManualApproval")
            fields["ModelPackageGroupName"] = name
            fields["ModelPackageVersion"] = version
            key = f"{name}/{version}"
            made = self._table.add(key, self._context.arn(PACKAGE, key), fields)
            made.tags = dict(group.tags)
            return made

    def describe(self, call: Call) -> Fields:
        """DescribeModelPackage."""
        return _described(self._require(call.parameters["ModelPackageName"]))

    def describe_many(self, call: Call) -> Fields:
        """BatchDescribeModelPackage."""
        found: Fields = {}
        missing: Fields = {}
        for arn in call.parameters["ModelPackageArnList"]:
            try:
                package = self._require(arn)
            except ServiceError as error:
                missing[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
            else:
                found[arn] = _batch_summary(package)
        return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": missing}

    def update(self, call: Call) -> Fields:
        """UpdateModelPackage: approval, metadata, stage and the like."""
        given = call.parameters
        with self._table.lock:
            package = self._require(given["ModelPackageArn"])
            changes: Fields = {name: given[name] for name in SETTABLE if name in given}
            changes["CustomerMetadataProperties"] = _properties(package, given) or None
            added: list[Any] = given.get("AdditionalInferenceSpecificationsToAdd") or []
            if added:
                known: list[Any] = package.fields.get("AdditionalInferenceSpecifications") or []
                changes["AdditionalInferenceSpecifications"] = [*known, *added]
            self._table.update(package.name, **changes)
        self._tell(package)
        return {"ModelPackageArn": package.arn}

    def list(self, call: Call) -> Fields:
        """ListModelPackages: of a group, or (by default) those without one."""
        given = call.parameters
        group = given.get("ModelPackageGroupName")
        if group is not None:
            found = in_group(self._context, self._groups.require(group.rpartition("/")[2]).name)
        else:
            kind = given.get("ModelPackageType", "Unversioned")
            found = [each for each in self._table.live() if _is(each, kind)]
        wanted = given.get("ModelApprovalStatus")
        if wanted:
            found = [each for each in found if each.fields.get("ModelApprovalStatus") == wanted]
        return page(found, given, "ModelPackageSummaryList", _summary)

    def delete(self, call: Call) -> Fields:
        """DeleteModelPackage."""
        self._table.remove(self._require(call.parameters["ModelPackageName"]).name)
        return {}

    def _require(self, name_or_arn: str) -> Resource:
        return self._table.require(name_or_arn.rpartition(":model-package/")[2])

    def _check_model(self, given: dict[str, Any]) -> None:
        """Refuse a model that is not there, unless the caller asks to skip validation."""
        if given.get("SkipModelValidation") == "All":
            return
        specification: Fields = given.get("InferenceSpecification") or {}
        containers: list[Fields] = specification.get("Containers") or []
        for container in containers:
            if container.get("ModelDataUrl"):
                require_object(self._context, container["ModelDataUrl"])

    def _tell(self, package: Resource) -> None:
        self._context.emit(EVENT, _detail(package), [package.arn])

    def _missing(self, name: str) -> ServiceError:
        arn = self._context.arn(PACKAGE, name)
        return ServiceError("ValidationException", f"ModelPackage {arn} does not exist.")


def require_object(context: Context, uri: str) -> None:
    """Refuse a model archive that is not in S3."""
    parts = urlsplit(uri)
    try:
        context.client("s3").head_object(Bucket=parts.netloc, Key=parts.path.lstrip("/"))
    except ClientError as error:
        raise ServiceError("ValidationException", f"Could not find model data at {uri}.") from error


def _properties(package: Resource, given: dict[str, Any]) -> dict[str, str]:
    kept: dict[str, str] = dict(package.fields.get("CustomerMetadataProperties") or {})
    kept.update(given.get("CustomerMetadataProperties") or {})
    removed: list[str] = given.get("CustomerMetadataPropertiesToRemove") or []
    for name in removed:
        kept.pop(name, None)
    if len(kept) > MOST_PROPERTIES:
        raise ServiceError(
            "ValidationException",
            f"CustomerMetadataProperties would have {len(kept)} entries; "
            f"allowed are {MOST_PROPERTIES}.",
        )
    return kept


def _is(package: Resource, kind: str) -> bool:
    versioned = "ModelPackageVersion" in package.fields
    return kind == "Both" or versioned == (kind == "Versioned")


def _described(package: Resource) -> Fields:
    return {
        "ModelPackageArn": package.arn,
        "CreationTime": package.created,
        "LastModifiedTime": package.modified,
        **package.fields,
    }


def _detail(package: Resource) -> Fields:
    """The event's detail ("Events that Amazon SageMaker AI sends to Amazon EventBridge", model
    package state change): what Describe answers, times as text."""
    times = {"CreationTime": iso(package.created), "LastModifiedTime": iso(package.modified)}
    return {**_described(package), **times, "Tags": dict(package.tags)}


def _summary(package: Resource) -> Fields:
    known = {name: package.fields[name] for name in LISTED if name in package.fields}
    return {"ModelPackageArn": package.arn, "CreationTime": package.created, **known}


def _batch_summary(package: Resource) -> Fields:
    specification: Fields = package.fields.get("InferenceSpecification") or {}
    summary = {name: value for name, value in _summary(package).items() if name in BATCH_LISTED}
    return {**summary, "InferenceSpecification": specification}


def _taken(arn: str) -> ServiceError:
    return ServiceError("ValidationException", f"Model Package already exists: {arn}")

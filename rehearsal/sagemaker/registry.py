"""The model registry: groups of model packages and their policies; packages join from their module.

("Model Registry Models, Model Versions, and Model Groups", SageMaker Developer Guide.)
"""

import json
from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker import model_packages
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource, Table

GROUP = "model-package-group"
POLICY = "policy"  # where a group keeps its policy, which Describe does not answer


def operations(context: Context) -> Registry:
    """The operations of groups and of packages."""
    groups = GroupOperations(context)
    return {
        "CreateModelPackageGroup": groups.create,
        "DescribeModelPackageGroup": groups.describe,
        "ListModelPackageGroups": groups.list,
        "DeleteModelPackageGroup": groups.delete,
        "PutModelPackageGroupPolicy": groups.put_policy,
        "GetModelPackageGroupPolicy": groups.get_policy,
        "DeleteModelPackageGroupPolicy": groups.delete_policy,
        **model_packages.operations(context, groups.table),
    }


class GroupOperations:
    """Model package groups.

    Args:
        context: of the service.

    Attributes:
        table: of the groups.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self.table: Table = context.tables.table(GROUP, self._missing, _taken)

    def create(self, call: Call) -> Fields:
        """CreateModelPackageGroup."""
        given = call.parameters
        name = given["ModelPackageGroupName"]
        arn = self._context.arn(GROUP, name)
        fields: Fields = {"ModelPackageGroupStatus": "Completed"}
        if "ModelPackageGroupDescription" in given:
            fields["ModelPackageGroupDescription"] = given["ModelPackageGroupDescription"]
        self.table.add(name, arn, fields, tags=given.get("Tags"))
        return {"ModelPackageGroupArn": arn}

    def describe(self, call: Call) -> Fields:
        """DescribeModelPackageGroup."""
        return {**_summary(self._require(call)), "CreatedBy": {}}

    def list(self, call: Call) -> Fields:
        """ListModelPackageGroups."""
        if call.parameters.get("CrossAccountFilterOption") == "CrossAccount":
            return {"ModelPackageGroupSummaryList": []}  # there is one account
        found = self.table.all()
        return page(found, call.parameters, "ModelPackageGroupSummaryList", _summary)

    def delete(self, call: Call) -> Fields:
        """DeleteModelPackageGroup: an empty one."""
        group = self._require(call)
        with self.table.lock:
            held = model_packages.in_group(self._context, group.name)
            if held:
                raise ServiceError(
                    "ConflictException",
                    f"ModelPackageGroup {group.arn} cannot be deleted: it holds "
                    f"{len(held)} model package(s), the newest {held[-1].arn}. Delete them first.",
                )
            self.table.remove(group.name)
        return {}

    def put_policy(self, call: Call) -> Fields:
        """PutModelPackageGroupPolicy."""
        group = self._require(call)
        text = call.parameters["ResourcePolicy"]
        try:
            policy: Any = json.loads(text)
        except ValueError as error:
            raise ServiceError(
                "ValidationException", f"ResourcePolicy is not JSON: {error}"
            ) from error
        if not isinstance(policy, dict) or "Statement" not in policy:
            raise ServiceError("ValidationException", "ResourcePolicy has no Statement.")
        with self.table.lock:
            group.internal[POLICY] = text
        return {"ModelPackageGroupArn": group.arn}

    def get_policy(self, call: Call) -> Fields:
        """GetModelPackageGroupPolicy."""
        return {"ResourcePolicy": self._policy(self._require(call))}

    def delete_policy(self, call: Call) -> Fields:
        """DeleteModelPackageGroupPolicy."""
        group = self._require(call)
        self._policy(group)
        with self.table.lock:
            group.internal.pop(POLICY, None)
        return {}

    def _policy(self, group: Resource) -> str:
        text = group.internal.get(POLICY)
        if text is None:
            raise ServiceError(
                "ValidationException",
                f"Cannot find resource policy for model package group: {group.arn}",
            )
        return str(text)

    def _require(self, call: Call) -> Resource:
        return self.table.require(group_name(call.parameters["ModelPackageGroupName"]))

    def _missing(self, name: str) -> ServiceError:
        arn = self._context.arn(GROUP, name)
        return ServiceError("ValidationException", f"ModelPackageGroup {arn} does not exist.")


def group_name(name_or_arn: str) -> str:
    """A group's name from its name or ARN."""
    return name_or_arn.rpartition("/")[2]


def _summary(resource: Resource) -> Fields:
    return {
        "ModelPackageGroupName": resource.name,
        "ModelPackageGroupArn": resource.arn,
        "CreationTime": resource.created,
        **resource.fields,
    }


def _taken(arn: str) -> ServiceError:
    return ServiceError("ValidationException", f"Model Package Group already exists: {arn}")

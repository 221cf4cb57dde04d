"""Application Auto Scaling: targets and policies are kept and refused as on AWS; nothing scales.

What depends on a target being registered does happen: SageMaker refuses to change the instance type
of a scaled variant.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from rehearsal.aws_json import Call, JsonService, ServiceError, not_rehearsed
from rehearsal.controls import Controls
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.tables import Fields, Resource

NAME = "application-autoscaling"
TARGETS, POLICIES = "scalable-target", "scaling-policy"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
VARIANT = re.compile(r"endpoint/([^/]+)/variant/([^/]+)")
SERVICE_ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"


class Scaling:
    """The service.

    Args:
        context: SageMaker's; the tables lie there.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._targets = context.tables.table(TARGETS, _no_target)
        self._policies = context.tables.table(POLICIES, _no_policy)
        self.controls = Controls()
        self.service = JsonService(NAME, self._answer, self.controls.admit, self.controls.record)
        self._operations = {
            "RegisterScalableTarget": self._register,
            "DeregisterScalableTarget": self._deregister,
            "DescribeScalableTargets": self._describe_targets,
            "PutScalingPolicy": self._put_policy,
            "DeleteScalingPolicy": self._delete_policy,
            "DescribeScalingPolicies": self._describe_policies,
        }

    async def _answer(self, call: Call) -> Mapping[str, Any]:
        handler = self._operations.get(call.operation)
        if handler is None:
            raise not_rehearsed(NAME, call.operation, self._operations)
        return await asyncio.to_thread(handler, call.parameters)

    def _register(self, given: dict[str, Any]) -> Fields:
        name = given["ResourceId"]
        self._check(given)
        with self._context.tables.lock:
            found = self._targets.get(name)
            if found is None:
                missing = [key for key in ("MinCapacity", "MaxCapacity") if key not in given]
                if missing:
                    raise _refusal(f"{' and '.join(missing)} must be given for a new target.")
                found = self._targets.add(name, self._arn(name), _kept(given), given.get("Tags"))
            else:
                self._targets.update(name, **_kept(given))
            if found.fields["MinCapacity"] > found.fields["MaxCapacity"]:
                raise _refusal("Maximum capacity cannot be less than minimum capacity")
        return {"ScalableTargetARN": found.arn}

    def _check(self, given: Mapping[str, Any]) -> None:
        """Only SageMaker's variants of one kind, and only where there is one."""
        match = VARIANT.fullmatch(given["ResourceId"])
        known = (given["ServiceNamespace"], given["ScalableDimension"]) == ("sagemaker", DIMENSION)
        if match is None or not known:
            raise _refusal(f"the rehearsal scales SageMaker's {DIMENSION} only; given {given}")
        endpoint = self._context.tables.table("endpoint").get(match[1])
        variants: list[Fields] = endpoint.fields.get("ProductionVariants", []) if endpoint else []
        if match[2] not in [variant["VariantName"] for variant in variants]:
            raise _refusal(f"SageMaker endpoint variant doesn't exist: {given['ResourceId']}")

    def _deregister(self, given: dict[str, Any]) -> Fields:
        with self._context.tables.lock:
            self._targets.remove(given["ResourceId"])
            for policy in self._policies.all():  # they go with it
                if policy.fields["ResourceId"] == given["ResourceId"]:
                    self._policies.remove(policy.name)
        return {}

    def _describe_targets(self, given: dict[str, Any]) -> Fields:
        wanted = given.get("ResourceIds")
        found = [each for each in self._targets.all() if not wanted or each.name in wanted]
        return {"ScalableTargets": [self._target(each) for each in found]}

    def _target(self, target: Resource) -> Fields:
        place = "aws-service-role/sagemaker.application-autoscaling.amazonaws.com"
        return {
            "ServiceNamespace": "sagemaker",
            "ResourceId": target.name,
            "RoleARN": f"arn:aws:iam::{self._context.account}:role/{place}/{SERVICE_ROLE}",
            "CreationTime": target.created,
            "ScalableTargetARN": target.arn,
            **target.fields,
        }

    def _put_policy(self, given: dict[str, Any]) -> Fields:
        self._targets.require(given["ResourceId"])
        name = f"{given['ResourceId']}:{given['PolicyName']}"
        with self._context.tables.lock:
            if self._policies.get(name) is None:
                arn = f"{self._arn(given['ResourceId'])}:policyName/{given['PolicyName']}"
                self._policies.add(name, arn, dict(given))
            else:
                self._policies.update(name, **given)
        return {"PolicyARN": self._policies.require(name).arn, "Alarms": []}

    def _delete_policy(self, given: dict[str, Any]) -> Fields:
        self._policies.remove(f"{given['ResourceId']}:{given['PolicyName']}")
        return {}

    def _describe_policies(self, given: dict[str, Any]) -> Fields:
        wanted = given.get("ResourceId")
        found: list[Fields] = [
            {**each.fields, "PolicyARN": each.arn, "CreationTime": each.created, "Alarms": []}
            for each in self._policies.all()
            if not wanted or each.fields["ResourceId"] == wanted
        ]
        return {"ScalingPolicies": found}

    def _arn(self, name: str) -> str:
        place = f"{self._context.region}:{self._context.account}"
        return f"arn:aws:{NAME}:{place}:scalable-target/{name}"


def _kept(given: Mapping[str, Any]) -> Fields:
    names = ("ScalableDimension", "MinCapacity", "MaxCapacity", "SuspendedState")
    return {name: given[name] for name in names if name in given}


def _refusal(text: str) -> ServiceError:
    return ServiceError("ValidationException", text)


def _no_target(name: str) -> ServiceError:
    text = f"No scalable target found for service namespace: sagemaker, resource ID: {name}"
    return ServiceError("ObjectNotFoundException", f"{text}, scalable dimension: {DIMENSION}")


def _no_policy(name: str) -> ServiceError:
    return ServiceError("ObjectNotFoundException", f"No scaling policy found: {name}")

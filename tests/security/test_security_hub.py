"""A failing and a passing example for each of our own Guard rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.security.judges.guard import names
from tests.security.judges.security_hub import judge, security_hub_rules
from tests.security.judges.templates import Template

ISOLATED = {"EnableNetworkIsolation": True, "EnableInterContainerTrafficEncryption": True}
OPEN_NETWORK = {"EnableNetworkIsolation": False, "EnableInterContainerTrafficEncryption": True}
OPEN_TRAFFIC = {"EnableNetworkIsolation": True, "EnableInterContainerTrafficEncryption": False}
VPC_IMAGE = {"Image": "image", "ImageConfig": {"RepositoryAccessMode": "Vpc"}}
PLATFORM_IMAGE = {"Image": "image", "ImageConfig": {"RepositoryAccessMode": "Platform"}}
TAGS = [{"Key": "stage", "Value": "prod"}]
KEY = {"Fn::ImportValue": "key"}


def _variants(*variants: dict[str, Any]) -> dict[str, Any]:
    return {"ProductionVariants": list(variants)}


def _schedule(network: dict[str, Any]) -> dict[str, Any]:
    return {"MonitoringScheduleConfig": {"MonitoringJobDefinition": {"NetworkConfig": network}}}


NAMED = {"MonitoringScheduleConfig": {"MonitoringJobDefinitionName": "definition"}}

# Rule, type without its prefix, failing properties, passing properties.
EXAMPLES: list[tuple[str, str, list[dict[str, Any]], list[dict[str, Any]]]] = [
    (
        "SageMaker_4",
        "EndpointConfig",
        [
            _variants({"InitialInstanceCount": 1}),
            _variants({}),
            _variants({"InitialInstanceCount": 2}, {"InitialInstanceCount": 1}),
        ],
        [
            _variants({"InitialInstanceCount": 2}),
            _variants({"ServerlessConfig": {"MaxConcurrency": 1}}),
        ],
    ),
    (
        "SageMaker_5",
        "Model",
        [{}, {"EnableNetworkIsolation": False}],
        [{"EnableNetworkIsolation": True}],
    ),
    ("SageMaker_6", "AppImageConfig", [{}, {"Tags": []}], [{"Tags": TAGS}]),
    ("SageMaker_7", "Image", [{}, {"Tags": []}], [{"Tags": TAGS}]),
    (
        "SageMaker_8",
        "NotebookInstance",
        [{}, {"PlatformIdentifier": "notebook-al2-v3"}],
        [
            {"PlatformIdentifier": "notebook-al2023-v1"},
            {"PlatformIdentifier": "notebook-al2023-v2"},
        ],
    ),
    (
        "SageMaker_14",
        "MonitoringSchedule",
        [_schedule(OPEN_NETWORK), _schedule({})],
        [_schedule(ISOLATED), NAMED],
    ),
    (
        "SageMaker_16",
        "Model",
        [{"PrimaryContainer": {"Image": "image"}}, {"PrimaryContainer": PLATFORM_IMAGE}],
        [{"PrimaryContainer": VPC_IMAGE}],
    ),
    (
        "SageMaker_17",
        "FeatureGroup",
        [{"OfflineStoreConfig": {"S3StorageConfig": {"S3Uri": "s3://bucket"}}}],
        [{"OfflineStoreConfig": {"S3StorageConfig": {"KmsKeyId": KEY}}}, {}],
    ),
    (
        "SageMaker_18",
        "FeatureGroup",
        [
            {"OnlineStoreConfig": {"EnableOnlineStore": True}},
            {"OnlineStoreConfig": {"StorageType": "Standard", "SecurityConfig": {}}},
        ],
        [
            {"OnlineStoreConfig": {"SecurityConfig": {"KmsKeyId": KEY}}},
            {"OnlineStoreConfig": {"StorageType": "InMemory"}},
            {},
        ],
    ),
    (
        "SageMaker_19",
        "Model",
        [{"Containers": [VPC_IMAGE, PLATFORM_IMAGE]}, {"Containers": [{"Image": "image"}]}],
        [{"Containers": [VPC_IMAGE, VPC_IMAGE]}],
    ),
    (
        "SageMaker_22",
        "MonitoringSchedule",
        [_schedule(OPEN_TRAFFIC), _schedule({})],
        [_schedule(ISOLATED), NAMED],
    ),
    ("SageMaker_23", "InferenceExperiment", [{}], [{"KmsKey": KEY}]),
    (
        "SageMaker_24",
        "InferenceExperiment",
        [{"DataStorageConfig": {"Destination": "s3://b"}}],
        [{"DataStorageConfig": {"KmsKey": KEY}}, {}],
    ),
] + [
    (
        rule,
        f"{kind}JobDefinition",
        [{"NetworkConfig": broken}, {"NetworkConfig": {}}, {}],
        [{"NetworkConfig": ISOLATED}],
    )
    for rule, kind, broken in (
        ("SageMaker_9", "DataQuality", OPEN_TRAFFIC),
        ("SageMaker_10", "ModelExplainability", OPEN_TRAFFIC),
        ("SageMaker_11", "DataQuality", OPEN_NETWORK),
        ("SageMaker_12", "ModelBias", OPEN_NETWORK),
        ("SageMaker_13", "ModelQuality", OPEN_TRAFFIC),
        ("SageMaker_15", "ModelBias", OPEN_TRAFFIC),
        ("SageMaker_20", "ModelExplainability", OPEN_NETWORK),
        ("SageMaker_25", "ModelQuality", OPEN_NETWORK),
    )
]
FAILING = [(rule, kind, bad) for rule, kind, failing, _ in EXAMPLES for bad in failing]
PASSING = [(rule, kind, good) for rule, kind, _, passing in EXAMPLES for good in passing]


def _rules(kind: str, properties: dict[str, Any], *, production: bool = True) -> set[str]:
    resource = {"Type": f"AWS::SageMaker::{kind}", "Properties": properties}
    template = Template("stack", {"Resources": {"It": resource}})
    return {finding.rule for finding in judge([template], production=production)}


@pytest.mark.parametrize(("rule", "kind", "properties"), FAILING)
def test_fails(rule: str, kind: str, properties: dict[str, Any]) -> None:
    assert rule in _rules(kind, properties)


@pytest.mark.parametrize(("rule", "kind", "properties"), PASSING)
def test_passes(rule: str, kind: str, properties: dict[str, Any]) -> None:
    assert rule not in _rules(kind, properties)


def test_every_rule_has_examples() -> None:
    assert names(security_hub_rules(production=True)) == {rule for rule, *_ in EXAMPLES}


def test_instance_counts_are_asked_of_production_only() -> None:
    properties = _variants({"InitialInstanceCount": 1})
    assert _rules("EndpointConfig", properties, production=False) == set()


def test_one_finding_for_each_of_several_resources() -> None:
    resources = {
        "Good": {"Type": "AWS::SageMaker::Model", "Properties": {"EnableNetworkIsolation": True}},
        "Bad": {"Type": "AWS::SageMaker::Model", "Properties": {}},
        "Worse": {"Type": "AWS::SageMaker::Model", "Properties": {"EnableNetworkIsolation": False}},
    }
    found = judge([Template("stack", {"Resources": resources})], production=False)
    assert [(item.rule, item.resource) for item in found] == [
        ("SageMaker_5", "stack/Bad"),
        ("SageMaker_5", "stack/Worse"),
    ]

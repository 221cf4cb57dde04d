"""What an AutoML job is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import aws_ec2 as ec2

from .private_network import Network
from .s3_folder import S3Folder

OBJECTIVES: Mapping[str, tuple[str, ...]] = {
    "BinaryClassification": ("Accuracy", "AUC", "BalancedAccuracy", "F1", "Precision", "Recall"),
    "MulticlassClassification": (
        "Accuracy",
        "BalancedAccuracy",
        "F1macro",
        "PrecisionMacro",
        "RecallMacro",
    ),
}
"""The metrics that may decide, by problem type ("AutoMLJobObjective", SageMaker API reference)."""


@dataclass(frozen=True, kw_only=True)
class AutoMLLimits:
    """How far a search goes; whichever limit is reached first ends it.

    Args:
        max_candidates: Models tried, 1 to 750.
        candidate_seconds: Longest training of one candidate, in s.
        total_seconds: Longest time of the whole job, in s; the best model until then counts.
        poll_seconds: Time between two looks at the job, 1 to 3,600 s.
    """

    max_candidates: int = 10
    candidate_seconds: int = 3_600
    total_seconds: int = 14_400
    poll_seconds: int = 60


def job_parameters(
    *,
    data: S3Folder,
    target: str,
    artifacts: S3Folder,
    key: str,
    role: str,
    problem_type: str,
    objective: str,
    limits: AutoMLLimits,
    network: Network | None,
) -> dict[str, Any]:
    """CreateAutoMLJobV2's parameters, without the job's name."""
    source = {"S3DataType": "S3Prefix", "S3Uri": f"{data.url}/"}
    security: dict[str, Any] = {
        "VolumeKmsKeyId": key,
        "EnableInterContainerTrafficEncryption": True,
    }
    if network:
        isolated = network.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_ISOLATED)
        security["VpcConfig"] = {
            "Subnets": isolated.subnet_ids,
            "SecurityGroupIds": [group.security_group_id for group in network.security_groups],
        }
    return {
        "AutoMLJobInputDataConfig": [
            {
                "ChannelType": "training",
                "ContentType": "text/csv;header=present",
                "CompressionType": "None",
                "DataSource": {"S3DataSource": source},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": artifacts.url, "KmsKeyId": key},
        "AutoMLProblemTypeConfig": {
            "TabularJobConfig": {
                "TargetAttributeName": target,
                "ProblemType": problem_type,
                "Mode": "ENSEMBLING",
                "CompletionCriteria": {
                    "MaxCandidates": limits.max_candidates,
                    "MaxRuntimePerTrainingJobInSeconds": limits.candidate_seconds,
                    "MaxAutoMLJobRuntimeInSeconds": limits.total_seconds,
                },
            }
        },
        "AutoMLJobObjective": {"MetricName": objective},
        "SecurityConfig": security,
        "RoleArn": role,
    }

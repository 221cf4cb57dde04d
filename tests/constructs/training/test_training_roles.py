"""What a pipeline and its jobs may do: these statements and no others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms

import app as sagelens_app
from sagelens import DataLocation
from tests.constructs.conftest import statements
from tests.constructs.training.conftest import Parts, parts_in
from tests.constructs.training.variants import FUNCTION, VARIANTS
from tests.security.judges import cfn_lint, cloudformation, edges, iam
from tests.security.judges.findings import listing
from tests.security.judges.templates import read_assembly

PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
USE_KEY = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
LOG = ["CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents"]


def written(role: dict[str, Any]) -> dict[str, tuple[list[str], list[str], str]]:
    """A role's statements by id: actions, resources (references by their names), conditions."""
    return {
        sid: (
            [one["Action"]] if isinstance(one["Action"], str) else one["Action"],
            [short(resource) for resource in as_list(one["Resource"])],
            json.dumps(one.get("Condition", {})),
        )
        for sid, one in statements(role).items()
    }


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def short(value: Any) -> str:
    """An ARN with what is the same in each taken out."""
    match value:
        case str():
            return value
        case {"Fn::Join": [on, parts]}:
            return on.join(short(part) for part in parts)
        case {"Ref": str(name)}:
            return {"AWS::Partition": "aws", "AWS::Region": "r", "AWS::AccountId": "a"}.get(
                name, plain(name)
            )
        case {"Fn::GetAtt": [str(name), _]}:
            return f"<{plain(name)}>"
        case {"Fn::FindInMap": _}:
            return "registry"
        case {"Fn::Sub": str(text)}:
            return text
        case _:
            raise AssertionError(value)


def plain(name: str) -> str:
    """A logical id without its hash."""
    return re.sub(r"[0-9A-F]{8}$", "", name)


def test_jobs_may_do_these_things_only(parts: Parts) -> None:
    made = parts.made()
    found = written(made.role("Jobs"))
    code = parts.source.key
    assets = "arn:aws:s3:::cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
    assert {sid: (actions, resources) for sid, (actions, resources, _) in found.items()} == {
        "ReadData": (["s3:GetObject"], ["<Data>/churn/customers/*"]),
        "FindData": (["s3:ListBucket"], ["<Data>"]),
        "ReadCode": (["s3:GetObject"], [f"{assets}/{code}"]),
        "FindCode": (["s3:ListBucket"], [assets]),
        "UseRuns": (
            ["s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"],
            ["<Models>/churn/runs/*"],
        ),
        "FindRuns": (["s3:ListBucket"], ["<Models>"]),
        "UseKey": (USE_KEY, ["<Key>"]),
        "EncryptVolumes": (["kms:CreateGrant"], ["<Key>"]),
        "WriteLogs": (
            [f"logs:{name}" for name in LOG],
            [
                "arn:aws:logs:r:a:log-group:/aws/sagemaker/ProcessingJobs*",
                "arn:aws:logs:r:a:log-group:/aws/sagemaker/TrainingJobs*",
            ],
        ),
        "Measure": (["cloudwatch:PutMetricData"], ["*"]),
        "SignInToRegistries": (["ecr:GetAuthorizationToken"], ["*"]),
        "PullImages": (PULL, ["arn:aws:ecr:r:registry:repository/sagemaker-xgboost"]),
    }
    conditions = {sid: one[2] for sid, one in found.items() if one[2] != "{}"}
    assert conditions == {
        "FindData": '{"StringLike": {"s3:prefix": "churn/customers/*"}}',
        "FindCode": json.dumps({"StringLike": {"s3:prefix": f"{code}*"}}),
        "FindRuns": '{"StringLike": {"s3:prefix": "churn/runs/*"}}',
        "EncryptVolumes": '{"Bool": {"kms:GrantIsForAWSResource": "true"}}',
        "Measure": '{"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}}',
    }


def job(kind: str) -> list[str]:
    return [
        "sagemaker:AddTags",
        *(f"sagemaker:{verb}{kind}" for verb in ("Create", "Describe", "Stop")),
    ]


def test_the_pipeline_may_do_these_things_only(parts: Parts) -> None:
    made = VARIANTS["tracked"](parts)
    found = written(parts.made(**made).role("training pipeline: runs"))
    group = "sagemaker:r:a:model-package-group/sagelens-test-churn"
    versions = "sagemaker:r:a:model-package/sagelens-test-churn/*"
    assert {sid: (actions, resources) for sid, (actions, resources, _) in found.items()} == {
        "Process": (job("ProcessingJob"), ["arn:aws:sagemaker:r:a:processing-job/pipelines-*"]),
        "Train": (job("TrainingJob"), ["arn:aws:sagemaker:r:a:training-job/pipelines-*"]),
        "PassJobRole": (["iam:PassRole"], ["<TrainingJobRole>"]),
        "RegisterInGroup": (
            [
                "sagemaker:AddTags",
                "sagemaker:CreateModelPackage",
                "sagemaker:CreateModelPackageGroup",
                "sagemaker:DescribeModelPackageGroup",
            ],
            [f"arn:aws:{group}"],
        ),
        "RegisterVersions": (
            [
                "sagemaker:AddTags",
                "sagemaker:CreateModelPackage",
                "sagemaker:DescribeModelPackage",
            ],
            [f"arn:aws:{versions}"],
        ),
        "ReadRuns": (["s3:GetObject"], ["<Models>/churn/runs/*"]),
        "UseKey": (["kms:Decrypt", "kms:DescribeKey"], ["<Key>"]),
        "EncryptVolumes": (["kms:CreateGrant"], ["<Key>"]),
        "CallFunctions": (["lambda:InvokeFunction"], [FUNCTION]),
    }
    conditions = {sid: one[2] for sid, one in found.items() if one[2] != "{}"}
    assert conditions == {
        "PassJobRole": '{"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}',
        "EncryptVolumes": '{"Bool": {"kms:GrantIsForAWSResource": "true"}}',
    }


def test_a_pipeline_that_tunes_starts_no_training_jobs_itself(parts: Parts) -> None:
    found = written(parts.made(**VARIANTS["tuned"](parts)).role("training pipeline: runs"))
    assert "Train" not in found
    actions, resources, _ = found["Tune"]
    assert set(actions) == {
        *job("HyperParameterTuningJob"),
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
    }
    assert resources == ["arn:aws:sagemaker:r:a:hyper-parameter-tuning-job/*"]


def test_jobs_join_the_given_network_only(parts: Parts) -> None:
    found = written(parts.made(**VARIANTS["in a network"](parts)).role("Jobs"))
    assert found["JoinNetwork"][0] == ["ec2:CreateNetworkInterface"]
    kinds = [resource.split(":")[5].split("/")[0] for resource in found["JoinNetwork"][1]]
    assert sorted(kinds) == ["network-interface", "security-group", "subnet", "subnet"]
    assert found["ManageInterfaces"][1] == ["arn:aws:ec2:r:a:network-interface/*"]
    assert all(":Describe" in action for action in found["LookAtNetwork"][0])


def test_data_with_a_key_of_their_own_are_decrypted(parts: Parts) -> None:
    other = kms.Key(parts.stack, "DataKey")
    data = DataLocation(bucket=parts.data, prefix="churn/customers/", encryption_key=other)
    found = written(parts.made(data=data).role("Jobs"))
    assert found["DecryptData"][:2] == (["kms:Decrypt"], ["<DataKey>"])


def test_both_roles_are_for_sagemaker_in_this_account(parts: Parts) -> None:
    made = parts.made()
    for word in ("Jobs", "training pipeline: runs"):
        (trust,) = made.role(word)["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
        assert trust["Condition"] == {
            "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
        }


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_judges_find_nothing(variant: str, tmp_path: Path) -> None:
    """CloudFormation's schemas and rules, IAM's reference, and every way between services."""
    stack = cdk.Stack(sagelens_app.new_app(outdir=str(tmp_path)), "sagelens-test-training")
    parts = parts_in(stack)
    changes = VARIANTS[variant](parts)
    parts.pipeline(**changes)
    stack.node.root.synth()  # type: ignore[attr-defined]
    templates = read_assembly(tmp_path)
    found = [
        *iam.judge(templates),
        *edges.judge(templates),
        *cloudformation.judge(templates),
        *cfn_lint.judge(templates, ["us-east-1", "eu-central-1"]),
    ]
    # The function that records runs is another stack's here.
    ours = [
        one
        for one in found
        if ("Training" in one.resource or "Group" in one.resource) and FUNCTION not in one.message
    ]
    assert not ours, listing(ours)

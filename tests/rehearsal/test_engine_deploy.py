"""Deploying a cloud assembly by boto3."""

from __future__ import annotations

import hashlib
import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.assets import package, publish
from rehearsal.deploy import delete, deploy, deploy_template, outputs
from rehearsal.errors import RehearsalError
from rehearsal.process import Rehearsal

BUCKET = "cdk-hnb659fds-assets-${AWS::AccountId}-${AWS::Region}"
REAL_BUCKET = "cdk-hnb659fds-assets-000000000000-us-east-1"
VERSION = {
    "Type": "AWS::SSM::Parameter::Value<String>",
    "Default": "/cdk-bootstrap/hnb659fds/version",
}


def write(folder: Path, name: str, value: Any) -> None:
    (folder / name).write_text(json.dumps(value))


def assembly(folder: Path, size: int = 0) -> Path:
    """Two stacks: `first` exports a name, `second` depends on it and has a Lambda asset."""
    code = folder / "asset.abc"
    code.mkdir()
    (code / "index.py").write_text("def handler(event, context): return 'from the asset'")
    first = {
        "Parameters": {"BootstrapVersion": VERSION},
        "Resources": {"Q": {"Type": "AWS::SQS::Queue", "Metadata": {"filler": "x" * size}}},
        "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Q", "QueueName"]}, "Export": {"Name": "n"}}},
    }
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole"}
    trust |= {"Principal": {"Service": "lambda.amazonaws.com"}}
    second = {
        "Parameters": {"BootstrapVersion": VERSION},
        "Resources": {
            "R": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}
                },
            },
            "F": {
                "Type": "AWS::Lambda::Function",
                "Properties": {
                    "Runtime": "python3.13",
                    "Handler": "index.handler",
                    "Role": {"Fn::GetAtt": ["R", "Arn"]},
                    "Code": {"S3Bucket": {"Fn::Sub": BUCKET}, "S3Key": "abc.zip"},
                },
            },
        },
        "Outputs": {
            "Function": {"Value": {"Ref": "F"}},
            "Imported": {"Value": {"Fn::ImportValue": "n"}},
        },
    }
    write(folder, "first.template.json", first)
    write(folder, "second.template.json", second)
    destination = {"here": {"bucketName": BUCKET, "objectKey": "abc.zip"}}
    asset = {"source": {"path": "asset.abc", "packaging": "zip"}, "destinations": destination}
    write(folder, "second.assets.json", {"files": {"abc": asset}, "dockerImages": {}})
    stack = "aws:cloudformation:stack"
    write(
        folder,
        "manifest.json",
        {
            "artifacts": {
                "second": {
                    "type": stack,
                    "properties": {
                        "templateFile": "second.template.json",
                        "stackName": "env-second",
                    },
                    "dependencies": ["first", "second.assets"],
                },
                "second.assets": {
                    "type": "cdk:asset-manifest",
                    "properties": {"file": "second.assets.json"},
                },
                "first": {
                    "type": stack,
                    "properties": {
                        "templateFile": "first.template.json",
                        "stackName": "env-first",
                        "tags": {"team": "vision"},
                    },
                },
                "Tree": {"type": "cdk:tree", "properties": {"file": "tree.json"}},
            }
        },
    )
    return folder


def test_assembly_is_deployed_updated_and_deleted(engine: Rehearsal, tmp_path: Path) -> None:
    folder = assembly(tmp_path)
    done = deploy(engine, folder)
    assert list(done) == ["env-first", "env-second"]
    assert done["env-second"]["Imported"] == done["env-first"]["Name"]
    function = done["env-second"]["Function"]
    answer = engine.client("lambda").invoke(FunctionName=function, Payload="{}")
    assert json.load(answer["Payload"]) == "from the asset"
    tags = engine.client("cloudformation").describe_stacks(StackName="env-first")["Stacks"][0][
        "Tags"
    ]
    assert {"Key": "team", "Value": "vision"} in tags
    assert deploy(engine, folder) == done  # nothing has changed: no error

    template = json.loads((folder / "first.template.json").read_text())
    template["Outputs"]["More"] = {"Value": "more"}
    write(folder, "first.template.json", template)
    assert deploy(engine, folder, ["env-first"])["env-first"]["More"] == "more"
    delete(engine, ["env-first", "env-second"])
    with pytest.raises(ClientError, match="does not exist"):
        outputs(engine, "env-first")


def test_template_above_the_inline_limit(engine: Rehearsal, tmp_path: Path) -> None:
    assert deploy(engine, assembly(tmp_path, size=60_000), ["first"])["env-first"]["Name"]


def test_failed_stack_names_what_failed_and_can_be_deployed_again(engine: Rehearsal) -> None:
    broken = {"Resources": {"F": {"Type": "AWS::EC2::FlowLog", "Properties": {}}}}
    with pytest.raises(
        RehearsalError, match=r"(?s)stack s: ROLLBACK_COMPLETE.*F \(AWS::EC2::FlowLog\)"
    ):
        deploy_template(engine, "s", broken)
    good = {"Resources": {"Q": {"Type": "AWS::SQS::Queue"}}, "Outputs": {"O": {"Value": "o"}}}
    assert deploy_template(engine, "s", good) == {"O": "o"}


def test_errors(engine: Rehearsal, tmp_path: Path) -> None:
    with pytest.raises(RehearsalError, match="is not a cloud assembly"):
        deploy(engine, tmp_path)
    folder = assembly(tmp_path)
    with pytest.raises(RehearsalError, match="no stack 'third'; there are env-first, env-second"):
        deploy(engine, folder, ["third"])
    write(folder, "second.assets.json", {"files": {}, "dockerImages": {"i": {}}})
    with pytest.raises(RehearsalError, match="no Docker"):
        publish(engine, folder / "second.assets.json")


def test_package_is_the_same_every_time(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c.py").write_text("c")
    (tmp_path / "a.py").write_text("a")
    one = package(tmp_path, "zip")
    (tmp_path / "a.py").touch()
    assert hashlib.sha256(package(tmp_path, "zip")).digest() == hashlib.sha256(one).digest()
    assert zipfile.ZipFile(BytesIO(one)).namelist() == ["a.py", "b/c.py"]
    assert package(tmp_path / "a.py", "file") == b"a"


def test_other_region(tmp_path: Path) -> None:
    """The whole works for another Region as well."""
    with Rehearsal.start(region="eu-west-1") as aws:
        done = deploy(aws, assembly(tmp_path))
        arn = done["env-second"]["Function"]
        found = aws.client("lambda").get_function(FunctionName=arn)["Configuration"]["FunctionArn"]
        assert found.startswith("arn:aws:lambda:eu-west-1:")

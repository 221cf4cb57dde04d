"""Images: in every Region and partition, as text or looked up, and the generated table."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app as sagelens_app
from sagelens.algorithms import algorithm, images, names, own_image
from sagelens.algorithms.problems import AlgorithmError
from tools import image_table

ROOT = Path(__file__).parents[3]
AGNOSTIC = "SageMakerImages"


def stack_in(region: str | None, tmp_path: Path) -> cdk.Stack:
    app = sagelens_app.new_app(outdir=str(tmp_path))
    env = cdk.Environment(account="123456789012", region=region) if region else None
    return cdk.Stack(app, "Stranger", env=env)


def template_of(stack: cdk.Stack, **outputs: str) -> dict[str, Any]:
    for name, value in outputs.items():
        cdk.CfnOutput(stack, name, value=value)
    root = stack.node.root
    assert isinstance(root, cdk.App)
    return root.synth().get_stack_by_name(stack.stack_name).template


# Accounts as "Docker Registry Paths for SageMaker Built-in Algorithms" and the page on deep
# learning containers list them, typed in by hand.
KNOWN = [
    (
        "xgboost",
        "eu-west-1",
        "141502667606.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    ),
    (
        "xgboost",
        "us-east-1",
        "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    ),
    (
        "xgboost",
        "us-gov-west-1",
        "414596584902.dkr.ecr.us-gov-west-1.amazonaws.com/sagemaker-xgboost:3.0-5",
    ),
    (
        "xgboost-script",
        "cn-north-1",
        "450853457545.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:3.0-5",
    ),
    ("kmeans", "cn-north-1", "390948362332.dkr.ecr.cn-north-1.amazonaws.com.cn/kmeans:1"),
    ("ntm", "us-iso-east-1", "490574956308.dkr.ecr.us-iso-east-1.c2s.ic.gov/ntm:1"),
    ("pca", "eu-central-1", "664544806723.dkr.ecr.eu-central-1.amazonaws.com/pca:1"),
    (
        "linear-learner",
        "us-gov-west-1",
        "226302683700.dkr.ecr.us-gov-west-1.amazonaws.com/linear-learner:1",
    ),
    (
        "pytorch",
        "us-west-2",
        "763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training:2.6.0-cpu-py312",
    ),
]


@pytest.mark.parametrize(("name", "region", "address"), KNOWN)
def test_a_known_region_gives_plain_text(
    name: str, region: str, address: str, tmp_path: Path
) -> None:
    stack = stack_in(region, tmp_path)
    assert algorithm(name).training_image(stack) == address
    assert not any(one.node.id.startswith(AGNOSTIC) for one in stack.node.children)


@pytest.mark.parametrize("region", ["eu-west-1", "cn-northwest-1", "us-gov-east-1"])
@pytest.mark.parametrize("name", names())
def test_every_algorithm_has_both_images(name: str, region: str, tmp_path: Path) -> None:
    stack = stack_in(region, tmp_path)
    one = algorithm(name)
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    for address in (one.training_image(stack), one.inference_image(stack)):
        assert re.fullmatch(rf"\d{{12}}\.dkr\.ecr\.{region}\.{suffix}/[a-z-]+:[\w.-]+", address)


def test_a_stack_for_any_region_looks_the_account_up(tmp_path: Path) -> None:
    stack = stack_in(None, tmp_path)
    xgboost = algorithm("xgboost")
    template = template_of(
        stack,
        Training=xgboost.training_image(stack),
        Inference=xgboost.inference_image(stack),
        Learner=algorithm("scikit-learn").training_image(stack),
    )
    assert list(template["Mappings"]) == ["SageMakerImagesFrameworks"]
    mapping = template["Mappings"]["SageMakerImagesFrameworks"]
    assert mapping["us-gov-west-1"] == {"Account": "414596584902"}
    assert mapping["cn-north-1"] == {"Account": "450853457545"}
    region = {"Ref": "AWS::Region"}
    account = {"Fn::FindInMap": ["SageMakerImagesFrameworks", region, "Account"]}
    address = [
        account,
        ".dkr.ecr.",
        region,
        ".",
        {"Ref": "AWS::URLSuffix"},
        "/sagemaker-xgboost:3.0-5",
    ]
    assert template["Outputs"]["Training"]["Value"] == {"Fn::Join": ["", address]}
    assert template["Outputs"]["Inference"] == template["Outputs"]["Training"]


def test_a_stack_that_uses_no_image_has_no_mapping(tmp_path: Path) -> None:
    assert "Mappings" not in template_of(stack_in(None, tmp_path), Something="here")


def test_synth_is_byte_stable(tmp_path: Path) -> None:
    def synthesize(folder: Path) -> bytes:
        stack = stack_in(None, folder)
        outputs = {
            f"Image{index}": algorithm(name).training_image(stack)
            for index, name in enumerate(names())
        }
        template_of(stack, **outputs)
        return (folder / "Stranger.template.json").read_bytes()

    assert synthesize(tmp_path / "one") == synthesize(tmp_path / "two")


def test_a_region_without_the_image_is_told_at_synth(tmp_path: Path) -> None:
    stack = stack_in("me-west-1", tmp_path)
    with pytest.raises(ValueError, match=r"xgboost training .* is not offered in me-west-1.*eu-w"):
        algorithm("xgboost").training_image(stack)


def test_a_processor_without_an_image_is_told(tmp_path: Path) -> None:
    stack = stack_in("eu-west-1", tmp_path)
    with pytest.raises(ValueError, match="no variant for gpu; it has one for cpu"):
        algorithm("scikit-learn").training_image(stack, "gpu")
    assert algorithm("pytorch").training_image(stack, "gpu").endswith(":2.6.0-gpu-py312")
    assert algorithm("xgboost").training_image(stack, "gpu").endswith(":3.0-5")


def test_an_image_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    stack = stack_in(None, tmp_path)
    address = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/mine:1"
    own = own_image(address)
    assert own.training_image(stack) == own.inference_image(stack) == address
    digest = f"example.com/mine@sha256:{'0' * 64}"
    assert own_image(address, digest).inference_image(stack) == digest
    token = cdk.Fn.import_value("Image")
    assert own_image(token).training_image(stack) == token
    with pytest.raises(ValueError, match="not in the table"):
        own.image("training")


@pytest.mark.parametrize("address", ["mine", "mine:latest", "", "mine@sha256:1", "a b:1"])
def test_an_image_of_ones_own_must_be_a_fixed_one(address: str) -> None:
    with pytest.raises(AlgorithmError) as caught:
        own_image(address, address)
    assert [problem.name for problem in caught.value.problems] == ["training", "inference"]


def test_the_table_has_the_shape_that_the_tool_writes() -> None:
    text = images.TABLE.read_text(encoding="utf-8")
    table = json.loads(text)
    assert text == json.dumps(table, indent=1, sort_keys=True) + "\n", "edited by hand?"
    assert images.TABLE == image_table.TABLE
    assert set(table) == {"accounts", "images", "monitor", "sdk"}
    wanted = {key: one.version for key, one in image_table.IMAGES.items()}
    assert {key: one["training"]["version"] for key, one in table["images"].items()} == wanted
    groups = {row["accounts"] for one in table["images"].values() for row in one.values()}
    assert groups == set(table["accounts"])
    for accounts in table["accounts"].values():
        assert {"eu-west-1", "us-east-1", "us-gov-west-1", "cn-north-1"} <= set(accounts)
    for accounts in (*table["accounts"].values(), table["monitor"]["accounts"]):
        assert all(re.fullmatch(r"\d{12}", account) for account in accounts.values())
        assert all(re.fullmatch(r"[a-z]+(-[a-z]+)+-\d", region) for region in accounts)


def test_the_table_is_of_the_sdk_that_is_pinned() -> None:
    pins = (ROOT / "requirements-notebook.txt").read_text(encoding="utf-8")
    for package, version in images.table()["sdk"].items():
        assert f"\n{package}=={version}\n" in pins


def test_every_image_of_the_table_is_used() -> None:
    assert {algorithm(name).images for name in names()} == set(images.table()["images"])


@pytest.mark.skipif(
    importlib.util.find_spec("sagemaker") is None,
    reason="the SageMaker SDK is not installed here; see tools/image_table.py",
)
def test_the_table_is_what_the_sdk_says() -> None:
    assert image_table.generate() == images.table()

"""The address of an image in a stack. The only module here that needs the AWS CDK."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import region_info
from constructs import Construct

from .images import Image, monitor_image
from .instances import Processor


def image_uri(scope: Construct, image: Image, processor: Processor = "cpu") -> str:
    """The full address of an image for the stack of ``scope``.

    A stack whose Region is known gets plain text, and a Region that lacks the image is an error
    at synth. A stack for any Region gets a look-up in a mapping of its own template, one mapping
    for each group of registries. Where a Region is not in it, CloudFormation refuses the
    template before it makes anything, and names the mapping and the Region ("Unable to get
    mapping for SageMakerImages…::<Region>::Account"); a rule could say no more, and a rule cannot
    be written per image without repeating all Regions.

    Args:
        scope: A construct of the stack that uses the image.
        image: The image.
        processor: Which variant.

    Raises:
        ValueError: If the stack's Region, or the processor, has no such image.
    """
    stack = cdk.Stack.of(scope)
    path = image.path(processor)
    if cdk.Token.is_unresolved(stack.region):
        account = _accounts(stack, image).find_in_map(cdk.Aws.REGION, "Account")
        return f"{account}.dkr.ecr.{cdk.Aws.REGION}.{cdk.Aws.URL_SUFFIX}/{path}"
    account = image.account(stack.region)
    suffix = region_info.RegionInfo.get(stack.region).domain_suffix or stack.url_suffix
    return f"{account}.dkr.ecr.{stack.region}.{suffix}/{path}"


def monitor_image_uri(scope: Construct) -> str:
    """The full address of Amazon SageMaker Model Monitor's image for the stack of ``scope``.

    Args:
        scope: A construct of the stack that uses it.

    Raises:
        ValueError: If the stack's Region has no such image.
    """
    return image_uri(scope, monitor_image())


def _accounts(stack: cdk.Stack, image: Image) -> cdk.CfnMapping:
    """The stack's mapping of a group of registries, made at its first use."""
    name = "SageMakerImages" + "".join(part.capitalize() for part in image.group.split("-"))
    found = stack.node.try_find_child(name)
    if isinstance(found, cdk.CfnMapping):
        return found
    mapping = {region: {"Account": account} for region, account in image.accounts}
    return cdk.CfnMapping(stack, name, mapping=mapping)

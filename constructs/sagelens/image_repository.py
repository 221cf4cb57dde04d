"""The repository of an image, for policies."""

from __future__ import annotations

import re

import aws_cdk as cdk

TOKEN = re.compile(r"\$\{Token\[[^\]]*\]\}")
ADDRESS = re.compile(
    r"(?P<account>[^.]+)\.dkr\.ecr\.(?P<region>[^.]+)\.[^/]+/(?P<repository>[^:@]+)([:@].+)?"
)


def repository_arn(image: str) -> str:
    """The ARN of the repository that an image's address names.

    Args:
        image: Such as ``123456789012.dkr.ecr.eu-west-1.amazonaws.com/mine:1``; its parts may be
            CDK tokens.

    Raises:
        ValueError: If it is no address in Amazon ECR.
    """
    tokens = TOKEN.findall(image)
    # A token holds dots and colons itself; in its place stands its number.
    numbers = iter(range(len(tokens)))
    masked = TOKEN.sub(lambda _: f"<{next(numbers)}>", image)
    found = ADDRESS.fullmatch(masked)
    if found is None:
        raise ValueError(
            f"image: got {image!r}, allowed is an address in Amazon ECR, "
            "<account>.dkr.ecr.<region>.<suffix>/<repository>:<tag>"
        )

    def part(name: str) -> str:
        return re.sub(r"<(\d+)>", lambda number: tokens[int(number[1])], found[name])

    repository = f"repository/{part('repository')}"
    return f"arn:{cdk.Aws.PARTITION}:ecr:{part('region')}:{part('account')}:{repository}"

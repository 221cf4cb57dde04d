"""One environment file in, its stacks out: ``cdk synth -c environment=dev``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import aws_cdk as cdk

import config
from stacks.access_stack import add_access
from stacks.foundation_stack import FoundationStack
from stacks.hosting_checks import problems
from stacks.hosting_stack import add_hosting
from stacks.retail_stack import add_retail
from stacks.training_stack import add_training
from stacks.vision_stack import add_vision
from stacks.workbench_stack import add_workbench


def new_app(*, outdir: str | None = None) -> cdk.App:
    """An empty app with the feature flags of cdk.json, which only the CDK CLI sets by itself."""
    flags = json.loads(Path(__file__).with_name("cdk.json").read_text(encoding="utf-8"))
    return cdk.App(
        outdir=outdir or os.environ.get("CDK_OUTDIR", "cdk.out"),
        context=flags["context"],
        analytics_reporting=False,
    )


def compose(app: cdk.App, settings: config.EnvironmentSettings) -> cdk.App:
    """Add an environment's stacks to the app."""
    foundation = FoundationStack(app, settings=settings)
    vision = add_vision(app, settings=settings, foundation=foundation)
    training = add_training(app, settings=settings, foundation=foundation)
    add_retail(app, settings=settings, foundation=foundation, vision=vision)
    add_hosting(app, settings=settings, foundation=foundation)
    add_access(app, settings=settings, foundation=foundation, training=training)
    add_workbench(app, settings=settings, foundation=foundation, training=training)
    return app


def build(environment: str | None = None, *, outdir: str | None = None) -> cdk.App:
    """The app of one environment.

    Args:
        environment: Its name or its file's path; by default the context's, else ``demo``.
        outdir: Folder of the cloud assembly; by default the CDK CLI's, else ``cdk.out``.

    Raises:
        config.ConfigurationError: With everything that is wrong with the file.
    """
    app = new_app(outdir=outdir)
    chosen = environment or app.node.try_get_context("environment") or "demo"
    return compose(app, config.load(str(chosen), check=problems))


if __name__ == "__main__":
    try:
        build().synth()
    except config.ConfigurationError as error:
        sys.exit(str(error))

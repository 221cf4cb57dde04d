"""Where people work: the roles of notebook instances and of Studio."""

from __future__ import annotations

from tests.security.examples.build import (
    OTHER_ACCOUNT,
    TRUST,
    Break,
    Example,
    Resources,
    arn,
    resource,
    role,
)

NOTEBOOK: Resources = {
    "Role": role("sagemaker.amazonaws.com"),
    "Notebook": resource("SageMaker::NotebookInstance", RoleArn=arn("Role")),
}
STUDIO: Resources = {
    "Role": role("sagemaker.amazonaws.com"),
    "Domain": resource("SageMaker::Domain", DefaultUserSettings={"ExecutionRole": arn("Role")}),
}

EXAMPLES = tuple(
    Example(
        kind,
        resources,
        (Break("other account", f"{TRUST}.Condition", OTHER_ACCOUNT, "222233334444"),),
    )
    for kind, resources in (("notebook-to-role", NOTEBOOK), ("studio-to-role", STUDIO))
)

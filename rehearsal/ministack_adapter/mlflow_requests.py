"""Requests to an MLflow app: they come by paths of MLflow's own, signed for `sagemaker`.

AWS gates the whole of an app by sagemaker:CallMlflowAppApi on the ARN that a header names; below
that, actions of `sagemaker-mlflow` say what a caller may do ("Set up IAM permissions for MLflow
Apps", Amazon SageMaker Developer Guide). Here both are asked.
"""

from typing import Any

from rehearsal.ministack_adapter.modules import iam_actions, iam_evaluator, router

PATH = "/api/"
ARN_HEADER = "x-sm-mlflow-app-arn"
GATE = "sagemaker:CallMlflowAppApi"


def is_mlflow(service: str, path: str) -> bool:
    """Whether a request signed for a service goes to an MLflow app."""
    return service == "sagemaker" and path.startswith(PATH)


def install() -> None:
    """Let IAM see the gate's action and the app."""
    action = iam_actions.extract_iam_action
    resource = iam_actions.extract_resource_arn

    def extract_action(service: str, method: str, path: str, *rest: Any) -> Any:
        return GATE if is_mlflow(service, path) else action(service, method, path, *rest)

    def extract_resource(
        service: str, method: str, path: str, headers: dict[str, str], *rest: Any
    ) -> Any:
        if is_mlflow(service, path):
            return headers.get(ARN_HEADER) or "*"
        return resource(service, method, path, headers, *rest)

    iam_actions.extract_iam_action = extract_action
    iam_actions.extract_resource_arn = extract_resource


def mlflow_refusal(
    headers: dict[str, str], query: dict[str, list[str]], action: str, app_arn: str
) -> str | None:
    """Why the caller may not do something in an MLflow app, in AWS's words; None if it may."""
    denied = iam_evaluator.enforce(
        router.extract_access_key_id(headers, query),
        action,
        "sagemaker",
        router.extract_region(headers, query),
        resource_arn=app_arn,
    )
    if denied is None:
        return None
    who = getattr(denied, "principal_arn", "") or "the caller"
    return f"User: {who} is not authorized to perform: {action} on resource: {app_arn}"

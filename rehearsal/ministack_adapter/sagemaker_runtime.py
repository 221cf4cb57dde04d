"""SageMaker Runtime's requests: REST ones under the signing name that the JSON ones have too."""

import re
from typing import Any
from urllib.parse import unquote

from rehearsal.ministack_adapter.modules import app, iam_actions, responses

PATH = re.compile(r"/endpoints/([^/]+)/")
VARIANT_HEADER = "x-Amzn-Invoked-Production-Variant"


def install() -> None:
    """Let IAM see operation and endpoint of such a request, and leave the model's answer alone."""
    iam_actions._BOTOCORE_SERVICE_MAP["sagemaker"] = ["sagemaker", "sagemaker-runtime"]
    _name_endpoints()
    _keep_content_types()


def _name_endpoints() -> None:
    original = iam_actions.extract_resource_arn

    def extract(service: str, method: str, path: str, headers: Any, *rest: Any) -> str:
        match = PATH.match(path) if service == "sagemaker" else None
        if match is None or headers.get("x-amz-target"):
            known: str = original(service, method, path, headers, *rest)
            return known
        place = f"{responses.get_region()}:{responses.get_account_id()}"
        # IAM sees endpoints' names in lower case ("Actions, resources, and condition keys for
        # Amazon SageMaker").
        return f"arn:aws:sagemaker:{place}:endpoint/{unquote(match[1]).lower()}"

    iam_actions.extract_resource_arn = extract


def _keep_content_types() -> None:
    """An invocation's content type is the container's own, whatever the service's protocol."""
    original = app.fix_success_content_type

    def fix(service: str, status: int, headers: dict[str, str]) -> None:
        if VARIANT_HEADER not in headers:
            original(service, status, headers)

    app.fix_success_content_type = fix

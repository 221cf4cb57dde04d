"""The server's side of what SageMaker may use (sagemaker.context.Platform), by the adapter."""

import os
from collections.abc import Sequence
from pathlib import Path

from rehearsal import ministack_adapter as adapter
from rehearsal.aws_json import Response
from rehearsal.environment import ACCOUNT
from rehearsal.sagemaker.context import Caller, Context, Credentials
from rehearsal.sagemaker.mlflow import MlflowRest
from rehearsal.sagemaker.service import SageMaker

SOURCE = "aws.sagemaker"


class Host:
    """One account and Region of the embedded AWS.

    Args:
        account, region: that SageMaker stands for.
    """

    def __init__(self, account: str, region: str) -> None:
        self._account = account
        self._region = region

    def caller(self, headers: dict[str, str], query: dict[str, list[str]]) -> Caller:
        """Who sent a request."""
        return adapter.Caller.of(headers, query)

    def role_trusts(self, role_arn: str, service: str, source_arn: str) -> bool:
        """Whether the role exists and its trust policy lets the service assume it."""
        return adapter.role_trusts(role_arn, service, source_arn)

    def role_credentials(self, role_arn: str, session: str) -> Credentials:
        """Access key, secret key and session token of the role."""
        return adapter.role_credentials(role_arn, session)

    def role_may(self, role_arn: str, action: str, resource_arn: str, **context: str) -> bool:
        """Whether a role may do something; condition keys by name, `:` written as `__`."""
        keys = {name.replace("__", ":"): value for name, value in context.items()}
        return adapter.role_may(role_arn, action, "sagemaker", resource_arn, keys)

    def put_event(self, detail_type: str, detail: str, resources: Sequence[str]) -> None:
        """Put an event onto the account's default bus."""
        adapter.put_event(self._account, self._region, SOURCE, detail_type, detail, resources)

    def put_log(self, group: str, stream: str, lines: Sequence[tuple[int, str]]) -> None:
        """Write log lines."""
        adapter.put_log(self._account, self._region, group, stream, lines)

    def has_log_group(self, group: str) -> bool:
        """Whether a log group exists."""
        return adapter.has_log_group(self._account, self._region, group)

    def put_metric(
        self, namespace: str, name: str, value: float, unit: str, dimensions: dict[str, str]
    ) -> None:
        """Record one value of a metric."""
        adapter.put_metric(self._account, self._region, namespace, name, value, unit, dimensions)


def make_sagemaker(region: str) -> SageMaker:
    """Make the service and register it; called once, in the server, from its run folder."""
    endpoint = f"http://localhost:{os.environ['GATEWAY_PORT']}"
    folder = Path.cwd() / "sagemaker"
    folder.mkdir(exist_ok=True)
    context = Context(region, ACCOUNT, endpoint, folder, Host(ACCOUNT, region))
    sagemaker = SageMaker(context)
    mlflow = MlflowRest(context, adapter.mlflow_refusal)

    async def handle(
        method: str,
        path: str,
        headers: dict[str, str],
        body: bytes,
        query: dict[str, list[str]],
    ) -> Response:
        answer = mlflow.handle if adapter.is_mlflow("sagemaker", path) else sagemaker.handle
        return await answer(method, path, headers, body, query)

    adapter.register_service("sagemaker", sagemaker.service.target_prefix, handle, sagemaker.reset)
    adapter.at_end(context.stop)
    adapter.register_tags("sagemaker", context.tables.tagged)
    return sagemaker

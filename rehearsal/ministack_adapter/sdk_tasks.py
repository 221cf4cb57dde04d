# pyright: reportMissingTypeStubs=false
"""The `aws-sdk:` tasks of a state machine: real calls to this very server as a role.

MiniStack itself would call as the account's root. Names are those of the AWS SDK for Java, which
Step Functions shows ("Integrating services with Step Functions", AWS SDK integrations).
"""

import os
import re
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from rehearsal.local_session import LocalSession
from rehearsal.ministack_adapter import iam
from rehearsal.ministack_adapter.modules import responses

# Services in Step Functions' ARNs that botocore names otherwise.
SERVICES = {
    "sfn": "stepfunctions",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "sagemakerruntime": "sagemaker-runtime",
}
CONFIG = Config(
    connect_timeout=5,
    read_timeout=120,
    # Tries again as the state's Retry says, and not by itself.
    retries={"total_max_attempts": 1, "mode": "standard"},
)
_clients: dict[tuple[str, str, str], Any] = {}
_making = threading.Lock()


class TaskError(Exception):
    """A task failed.

    Args:
        error: its name, as Retry and Catch see it.
        cause: why, in words.
    """

    def __init__(self, error: str, cause: str) -> None:
        super().__init__(f"{error}: {cause}")
        self.error = error
        self.cause = cause


def call(resource: str, given: Any, role: str) -> Any:
    """Carry out an `aws-sdk:` task.

    Args:
        resource: the state's Resource.
        given: its Parameters, resolved.
        role: the ARN of the state machine's role.

    Raises:
        TaskError: the service refused, or there is no such operation or parameter.
    """
    name, action = resource.removesuffix(".waitForTaskToken").split(":")[-2:]
    service = SERVICES.get(name, name)
    service_client = client(service, role)
    model = service_client.meta.service_model
    operation = next((each for each in model.operation_names if _method(each) == action), None)
    if operation is None:
        raise TaskError("States.Runtime", f"aws-sdk:{name} has no operation {action!r}")
    shapes = model.operation_model(operation)
    prefix = _prefix(str(model.service_id))
    method = getattr(service_client, _python(service_client, operation))
    try:
        answer = method(**_to_api(given or {}, shapes.input_shape))
    except ClientError as error:
        modelled = {shape.name for shape in shapes.error_shapes}
        raise _refused(error, prefix, modelled) from error
    except ParamValidationError as error:
        raise TaskError(f"{prefix}.{prefix}Exception", str(error)) from error
    except BotoCoreError as error:
        raise TaskError(f"{prefix}.SdkClientException", str(error)) from error
    answer.pop("ResponseMetadata", None)
    return _to_sdk(answer, shapes.output_shape)


def client(service: str, role: str) -> Any:
    """A client of this very server that acts as a role."""
    region = str(responses.get_region())
    key = (service, role, region)
    with _making:
        if key not in _clients:
            endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
            credentials = iam.role_credentials(role, "states")
            session = LocalSession(endpoint, region, credentials)
            if service not in session.get_available_services():
                raise TaskError("States.Runtime", f"there is no AWS SDK service {service!r}")
            _clients[key] = session.client(service, config=CONFIG)
        return _clients[key]


def forget() -> None:
    """Forget the roles' credentials, which a reset makes worthless."""
    with _making:
        _clients.clear()


def _python(known: Any, operation: str) -> str:
    mapping: dict[str, str] = known.meta.method_to_api_mapping
    return next(python for python, api in mapping.items() if api == operation)


def sdk_name(name: str) -> str:
    """A member's name as Step Functions has it: Java's, with a capital first letter.

    The AWS SDK for Java lowers a leading acronym only: DBClusterArn → DbClusterArn, but
    AutoMLJobName stays.
    """
    head = re.match(r"[A-Z](?:[A-Z](?![a-z]))*", name)
    if head is None:
        return name[:1].upper() + name[1:]
    return head[0].capitalize() + name[head.end() :]


def _method(operation: str) -> str:
    name = sdk_name(operation)
    return name[:1].lower() + name[1:]


def _to_api(value: Any, shape: Any) -> Any:
    """Parameters by the API's names. A name that the SDK does not have is refused, as on AWS."""
    kind: str = getattr(shape, "type_name", "")
    if kind == "structure" and isinstance(value, Mapping):
        names = {sdk_name(member): member for member in shape.members}
        given = cast("Mapping[str, Any]", value)
        for key in given:
            if key not in names:
                text = f'The field "{key}" is not supported by Step Functions'
                raise TaskError("States.Runtime", f"{text}; allowed are {', '.join(sorted(names))}")
        return {names[k]: _to_api(v, shape.members[names[k]]) for k, v in given.items()}
    if kind == "list" and isinstance(value, list):
        return [_to_api(each, shape.member) for each in cast("list[Any]", value)]
    if kind == "map" and isinstance(value, Mapping):
        given = cast("Mapping[str, Any]", value)
        return {key: _to_api(each, shape.value) for key, each in given.items()}
    if kind == "blob" and isinstance(value, str):
        return value.encode()
    return value


def _to_sdk(value: Any, shape: Any) -> Any:
    """An answer by the SDK's names, as JSON."""
    kind: str = getattr(shape, "type_name", "")
    if kind == "structure" and isinstance(value, Mapping):
        given = cast("Mapping[str, Any]", value)
        return {sdk_name(k): _to_sdk(v, shape.members.get(k)) for k, v in given.items()}
    if kind == "list" and isinstance(value, list):
        return [_to_sdk(each, shape.member) for each in cast("list[Any]", value)]
    if kind == "map" and isinstance(value, Mapping):
        given = cast("Mapping[str, Any]", value)
        return {key: _to_sdk(each, shape.value) for key, each in given.items()}
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    if hasattr(value, "read"):
        value = value.read()
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _refused(error: ClientError, prefix: str, modelled: set[str]) -> TaskError:
    response = cast("dict[str, Any]", error.response)
    code = str(response.get("Error", {}).get("Code", ""))
    # A class of its own for what the API documents, the client's own class for all the rest.
    known = code if code in modelled else prefix
    name = known.removesuffix("Fault").removesuffix("Exception") + "Exception"
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    message = response.get("Error", {}).get("Message", "")
    cause = f"{message} (Service: {prefix}, Status Code: {status}, Error Code: {code})"
    return TaskError(f"{prefix}.{name}", cause)


def _prefix(service_id: str) -> str:
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+", service_id)
    return "".join(word.capitalize() for word in words)

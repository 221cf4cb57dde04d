"""MLflow's REST API, as an MLflow app of Amazon SageMaker speaks it.

Host, signing name and header are those of AWS's own client, the PyPI package sagemaker-mlflow
(0.5.0): an app is at https://mlflow.sagemaker.<Region>.app.aws, requests are signed by SigV4 for
the service `sagemaker`, and the header x-sm-mlflow-app-arn names the app. As in that client, the
environment variable SAGEMAKER_MLFLOW_CUSTOM_ENDPOINT leads to another endpoint.

Nothing but botocore is used: it is there in Lambda's runtime.
"""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, cast
from urllib.parse import quote, urlencode

from botocore.auth import SigV4Auth  # pyright: ignore[reportMissingTypeStubs]
from botocore.awsrequest import AWSRequest  # pyright: ignore[reportMissingTypeStubs]
from botocore.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
    ConnectionError as BotoConnectionError,
)
from botocore.exceptions import HTTPClientError  # pyright: ignore[reportMissingTypeStubs]
from botocore.httpsession import URLLib3Session  # pyright: ignore[reportMissingTypeStubs]

SERVICE = "sagemaker"
ARN_HEADER = "x-sm-mlflow-app-arn"
API = "/api/2.0/mlflow/"
PARTITIONS = ("aws", "aws-us-gov")  # those that sagemaker-mlflow knows, both with the suffix `aws`
CONNECT_SECONDS = 3
READ_SECONDS = 20
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 8.0
TRANSIENT = (429, 500, 502, 503, 504)


class MlflowError(Exception):
    """The app refused a request, or did not answer.

    status: HTTP status, 0 if there was no answer. code: MLflow's or AWS's error code.
    """

    def __init__(self, text: str, status: int = 0, code: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.code = code

    @property
    def ambiguous(self) -> bool:
        """Whether the request may have been carried out all the same."""
        return self.status in (0, 500, 502, 503, 504)


@dataclass(frozen=True)
class App:
    """An MLflow app, by its ARN."""

    arn: str
    region: str
    partition: str

    @classmethod
    def of(cls, arn: str) -> "App":
        """The app. Raises ValueError, saying what is allowed, for any other ARN."""
        parts = arn.split(":", 5)
        if (
            len(parts) != 6
            or parts[0] != "arn"
            or parts[2] != "sagemaker"
            or not parts[5].startswith("mlflow-app/")
        ):
            raise ValueError(
                f"MLFLOW_APP_ARN is {arn!r}; allowed is the ARN of an MLflow app, such as "
                "arn:<partition>:sagemaker:<region>:<account>:mlflow-app/<id>"
            )
        if parts[1] not in PARTITIONS:
            raise ValueError(
                f"MLFLOW_APP_ARN is of the partition {parts[1]!r}; MLflow apps are known in "
                f"{', '.join(PARTITIONS)}"
            )
        return cls(arn, parts[3], parts[1])

    @property
    def endpoint(self) -> str:
        """Where its API is."""
        return f"https://mlflow.sagemaker.{self.region}.app.aws"


class Api:
    """Signed requests to one app, tried again after throttling and faults.

    app: which. credentials: botocore's, asked at each request since they change. endpoint: where,
    if not at the app's own. deadline: time.monotonic() after which nothing is tried.
    """

    def __init__(
        self,
        app: App,
        credentials: Any,
        endpoint: str = "",
        deadline: float = float("inf"),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._app = app
        self._credentials = credentials
        self._endpoint = (endpoint or app.endpoint).rstrip("/")
        self._deadline = deadline
        self._sleep = sleep
        # botocore's own HTTP client; it follows no redirect.
        self._http: Any = URLLib3Session(timeout=(CONNECT_SECONDS, READ_SECONDS))

    def get(self, operation: str, **query: str) -> dict[str, Any]:
        """Ask, for example get("experiments/get-by-name", experiment_name="churn")."""
        # %20 and not +: SigV4 signs the query so.
        text = urlencode(sorted(query.items()), quote_via=quote)
        return self._call("GET", f"{operation}?{text}" if text else operation, b"")

    def post(
        self, operation: str, body: Mapping[str, Any], *, repeatable: bool = True
    ) -> dict[str, Any]:
        """Tell. `repeatable`: whether doing it twice does no harm, so that a lost answer is asked
        for again; throttled requests, which were never carried out, always are."""
        return self._call("POST", operation, json.dumps(body).encode(), repeatable)

    def _call(
        self, method: str, operation: str, body: bytes, repeatable: bool = True
    ) -> dict[str, Any]:
        for attempt in range(ATTEMPTS):
            try:
                return self._once(method, operation, body)
            except MlflowError as error:
                again = error.status in TRANSIENT or error.status == 0
                if not again or (error.ambiguous and not repeatable):
                    raise
                pause = min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2**attempt)
                pause *= 0.5 + random.random() / 2
                late = time.monotonic() + pause + CONNECT_SECONDS + READ_SECONDS > self._deadline
                if attempt == ATTEMPTS - 1 or late:
                    raise
                self._sleep(pause)
        raise AssertionError("every attempt answers or raises")

    def _once(self, method: str, operation: str, body: bytes) -> dict[str, Any]:
        if time.monotonic() > self._deadline:
            raise MlflowError(f"{operation}: no time left before the function ends")
        request: Any = AWSRequest(
            method=method,
            url=f"{self._endpoint}{API}{operation}",
            data=body,
            headers={
                "Content-Type": "application/json",
                ARN_HEADER: self._app.arn,
                "X-Amz-Content-SHA256": sha256(body).hexdigest(),
            },
        )
        frozen = self._credentials.get_frozen_credentials()
        cast("Any", SigV4Auth)(frozen, SERVICE, self._app.region).add_auth(request)
        path = operation.partition("?")[0]
        try:
            response: Any = self._http.send(request.prepare())
            content: bytes = response.content
        except (BotoConnectionError, HTTPClientError) as error:
            raise MlflowError(f"{path}: no answer from {self._endpoint}: {error}") from error
        return _read(path, response.status_code, content)


def _read(path: str, status: int, content: bytes) -> dict[str, Any]:
    try:
        answer: Any = json.loads(content or b"{}")
    except ValueError:
        answer = None
    if status == 200 and isinstance(answer, dict):
        return cast("dict[str, Any]", answer)
    given = cast("dict[str, Any]", answer) if isinstance(answer, dict) else {}
    code = str(given.get("error_code") or given.get("__type") or given.get("Code") or "")
    text = given.get("message") or given.get("Message") or content[:300].decode(errors="replace")
    # 200 with something else: not MLflow's API but a page in front of it.
    raise MlflowError(f"{path}: HTTP {status} {code}: {text}", status, code)

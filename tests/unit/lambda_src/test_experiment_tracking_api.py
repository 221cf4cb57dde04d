"""MLflow's REST API as an app speaks it: address, signature, retries."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from experiment_tracking.mlflow_api import Api, App, MlflowError
from experiment_tracking.request import Request
from experiment_tracking.results import Results
from experiment_tracking.runs import Runs

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:mlflow-app/app-1A2B"
CREDENTIALS = Credentials("AKIDEXAMPLE", "secret", "token")


@dataclass
class Server:
    """Answers what a test says, and remembers what it was asked.

    Attributes:
        answers: Status and body of each answer to come, the last one for ever.
        asked: Method, path, headers and body of each request.
    """

    answers: list[tuple[int, Any]] = field(default_factory=lambda: [(200, {})])
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    address: str = ""

    def respond(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.asked.append((handler.command, handler.path, headers, body))
        status, answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        handler.send_response(status)
        if status == 302:
            handler.send_header("Location", "http://127.0.0.1:1/elsewhere")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.respond(self)

        do_POST = do_GET

        def log_message(self, format: str, *args: Any) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    made.address = f"http://127.0.0.1:{http.server_address[1]}"
    yield made
    http.shutdown()
    http.server_close()


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def api(server: Server, slept: list[float]) -> Api:
    return Api(App.of(ARN), CREDENTIALS, server.address, sleep=slept.append)


def test_an_app_is_where_awss_own_client_looks_for_it() -> None:
    assert App.of(ARN).endpoint == "https://mlflow.sagemaker.eu-west-1.app.aws"
    gov = App.of(ARN.replace("arn:aws:", "arn:aws-us-gov:").replace("eu-west-1", "us-gov-west-1"))
    assert gov.endpoint == "https://mlflow.sagemaker.us-gov-west-1.app.aws"


@pytest.mark.parametrize(
    ("arn", "words"),
    [
        ("", "allowed is the ARN of an MLflow app"),
        (
            ARN.replace("mlflow-app", "mlflow-tracking-server"),
            "allowed is the ARN of an MLflow app",
        ),
        (ARN.replace("arn:aws:", "arn:aws-cn:"), "MLflow apps are known in aws, aws-us-gov"),
    ],
)
def test_what_is_no_app_is_refused_in_words(arn: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        App.of(arn)


def test_a_request_is_signed_for_sagemaker_and_names_the_app(server: Server, api: Api) -> None:
    api.post("runs/create", {"experiment_id": "1"})
    ((method, path, headers, body),) = server.asked
    assert (method, path) == ("POST", "/api/2.0/mlflow/runs/create")
    assert json.loads(body) == {"experiment_id": "1"}
    assert headers["x-sm-mlflow-app-arn"] == ARN
    assert headers["x-amz-content-sha256"] == sha256(body).hexdigest()
    assert headers["x-amz-security-token"] == "token"
    match = re.fullmatch(
        r"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\d{8}/eu-west-1/sagemaker/aws4_request, "
        r"SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})",
        headers["authorization"],
    )
    assert match
    assert "x-sm-mlflow-app-arn" in match[1].split(";")


def test_the_signature_is_right_for_what_arrives(server: Server, api: Api) -> None:
    api.get("experiments/get-by-name", experiment_name="a b+c/ü")
    ((_, path, headers, _),) = server.asked
    assert path.endswith("experiment_name=a%20b%2Bc%2F%C3%BC")
    signer = SigV4Auth(CREDENTIALS.get_frozen_credentials(), "sagemaker", "eu-west-1")
    named = re.search(r"SignedHeaders=([^,]+)", headers["authorization"])
    assert named
    signed = {name: headers[name] for name in named[1].split(";") if name != "host"}
    request = AWSRequest("GET", f"{server.address}{path}", signed, b"")
    request.context["timestamp"] = headers["x-amz-date"]
    text = signer.string_to_sign(request, signer.canonical_request(request))
    assert signer.signature(text, request) == headers["authorization"].rpartition("=")[2]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_throttling_and_faults_are_tried_again(
    server: Server, api: Api, slept: list[float], status: int
) -> None:
    server.answers = [(status, {}), (status, b"<html>busy</html>"), (200, {"fine": True})]
    assert api.get("runs/get") == {"fine": True}
    assert len(slept) == 2
    assert 0.25 <= slept[0] <= 0.5
    assert 0.5 <= slept[1] <= 1.0


def test_it_gives_up_and_says_what_the_last_answer_was(server: Server, api: Api) -> None:
    server.answers = [(503, {"error_code": "TEMPORARILY_UNAVAILABLE", "message": "later"})]
    with pytest.raises(MlflowError, match="runs/get: HTTP 503 TEMPORARILY_UNAVAILABLE: later"):
        api.get("runs/get", run_id="1")
    assert len(server.asked) == 5


def test_a_refusal_is_not_tried_again(server: Server, api: Api) -> None:
    server.answers = [(403, {"__type": "AccessDeniedException", "Message": "may not"})]
    with pytest.raises(MlflowError, match="HTTP 403 AccessDeniedException: may not") as refused:
        api.post("runs/create", {})
    assert (refused.value.status, len(server.asked)) == (403, 1)


@pytest.mark.parametrize("status", [200, 302])
def test_a_page_of_somebody_else_is_no_answer(server: Server, api: Api, status: int) -> None:
    server.answers = [(status, b"<html>sign in</html>")]
    with pytest.raises(MlflowError, match=rf"HTTP {status} : <html>sign in"):
        api.get("runs/get")
    assert len(server.asked) == 1


def test_what_must_not_be_done_twice_is_not_when_the_answer_is_lost(
    server: Server, api: Api
) -> None:
    server.answers = [(502, {}), (200, {})]
    with pytest.raises(MlflowError) as lost:
        api.post("runs/create", {}, repeatable=False)
    assert lost.value.ambiguous
    assert len(server.asked) == 1
    server.answers = [(429, {}), (200, {"done": 1})]
    assert api.post("runs/create", {}, repeatable=False) == {"done": 1}


def test_nobody_there_is_said_with_the_address(slept: list[float]) -> None:
    api = Api(App.of(ARN), CREDENTIALS, "http://127.0.0.1:9", sleep=slept.append)
    with pytest.raises(MlflowError, match=re.escape("no answer from http://127.0.0.1:9")):
        api.get("runs/get")
    assert len(slept) == 4


def test_nothing_is_tried_when_no_time_is_left(server: Server, slept: list[float]) -> None:
    late = Api(App.of(ARN), CREDENTIALS, server.address, time.monotonic() - 1, slept.append)
    with pytest.raises(MlflowError, match="no time left"):
        late.get("runs/get")
    assert server.asked == []
    server.answers = [(503, {})]
    soon = Api(App.of(ARN), CREDENTIALS, server.address, time.monotonic() + 5, slept.append)
    with pytest.raises(MlflowError, match="HTTP 503"):
        soon.get("runs/get")
    assert (len(server.asked), slept) == (1, [])


# --- one execution, one run ----------------------------------------------------------------------

INFO = {
    "run_id": "r1",
    "experiment_id": "7",
    "start_time": 1000,
    "status": "RUNNING",
    "artifact_uri": "s3://bucket/mlflow/7/r1/artifacts",
}
REQUEST = Request("churn", "churn", "arn:x/execution/e", "job", "group", "s3://b/m", "", "", {}, {})
NOTHING = Results({}, {}, {}, ())
EXPERIMENT = (200, {"experiment": {"experiment_id": "7", "lifecycle_stage": "active"}})


def paths(server: Server) -> list[str]:
    return [path.partition("?")[0].removeprefix("/api/2.0/mlflow/") for _, path, *_ in server.asked]


def test_a_run_whose_creation_was_not_answered_is_found(server: Server, api: Api) -> None:
    server.answers = [
        EXPERIMENT,
        (200, {}),  # no run yet
        (504, {}),  # made, but the answer is lost
        (200, {"runs": [{"info": INFO}]}),
        (200, {}),
    ]
    assert Runs(api, None, 2000).track(REQUEST, NOTHING).run_id == "r1"
    assert paths(server) == [
        "experiments/get-by-name",
        "runs/search",
        "runs/create",
        "runs/search",
        "runs/update",
    ]


def test_an_experiment_that_another_execution_has_just_made_is_used(
    server: Server, api: Api
) -> None:
    server.answers = [
        (404, {"error_code": "RESOURCE_DOES_NOT_EXIST"}),
        (400, {"error_code": "RESOURCE_ALREADY_EXISTS"}),
        EXPERIMENT,
        (200, {"runs": [{"info": {**INFO, "status": "FINISHED"}}]}),
    ]
    assert Runs(api, None, 2000).track(REQUEST, NOTHING).finished
    assert paths(server)[-1] == "runs/search"


def test_a_deleted_experiment_is_not_written_to(server: Server, api: Api) -> None:
    server.answers = [
        (200, {"experiment": {"experiment_id": "7", "lifecycle_stage": "deleted"}}),
    ]
    with pytest.raises(MlflowError, match="was deleted in MLflow; restore it"):
        Runs(api, None, 2000).track(REQUEST, NOTHING)


def test_batches_keep_to_mlflows_limits(server: Server, api: Api) -> None:
    server.answers = [EXPERIMENT, (200, {"runs": [{"info": INFO}]}), (200, {})]
    training = {
        "parameters": {f"p{number:03}": number for number in range(250)},
        "course": [{"train:loss": 1.0, "validation:loss": 1.0} for _ in range(700)],
    }
    runs = Runs(api, _Bin(), 2000)
    runs.track(REQUEST, Results(training, {}, {}, ()))
    batches = [json.loads(body) for _, path, _, body in server.asked if "log-batch" in path]
    assert [len(batch.get("params", [])) for batch in batches] == [100, 100, 50, 0, 0]
    assert [len(batch.get("metrics", [])) for batch in batches] == [0, 0, 0, 1000, 400]
    # Logged again, a point is the same point: its time is that of the run's start.
    assert {metric["timestamp"] for batch in batches[3:] for metric in batch["metrics"]} == {1000}


class _Bin:
    """Takes artifacts, as S3 would."""

    def put_object(self, **given: Any) -> None:
        assert given["Bucket"] == "bucket"
        assert given["Key"].startswith("mlflow/7/r1/artifacts/")

"""What stands in for the serving stack of SageMaker's XGBoost and scikit-learn images.

Runs as a program of its own and imports nothing of the rehearsal: only what the images hold. It
answers /ping and /invocations ("Use your own inference code with hosting services", Amazon
SageMaker Developer Guide) by the script's model_fn, input_fn, predict_fn and output_fn, or
transform_fn, as the toolkit `sagemaker-inference` (transformer.py) calls them; a built-in XGBoost
model is served without a script. It binds a free port on loopback and tells it on standard output.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any, cast

READY = "@serving port="
UTF8_TYPES = ("text/csv", "application/json", "application/jsonlines", "text/plain", "text/libsvm")
Transform = Callable[[bytes, str, str], tuple[bytes, str]]


class ToolkitError(Exception):
    """`sagemaker_inference.errors.BaseInferenceToolkitError`, as the images have it."""

    def __init__(self, status_code: int, message: str, phrase: str) -> None:
        """Take the HTTP status, the answer's text and the status line's phrase."""
        self.status_code, self.message, self.phrase = status_code, message, phrase
        super().__init__(status_code, message, phrase)


def _provide_toolkit() -> None:
    """Let a script import the toolkit's errors, which every one of these images holds."""
    try:
        importlib.import_module("sagemaker_inference.errors")
    except ImportError:
        errors = ModuleType("sagemaker_inference.errors")
        errors.BaseInferenceToolkitError = ToolkitError  # type: ignore[attr-defined]
        sys.modules["sagemaker_inference"] = ModuleType("sagemaker_inference")
        sys.modules["sagemaker_inference.errors"] = errors


def by_script(module: ModuleType, model_dir: str) -> Transform:
    """Serve by a script's functions; the model is loaded at once."""
    model = module.model_fn(model_dir)
    transform = getattr(module, "transform_fn", None)

    def run(body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        kind = content_type.split(";")[0].strip().lower()
        data: Any = body.decode("utf-8") if kind in UTF8_TYPES else body
        if transform is not None:
            return _answer(transform(model, data, content_type, accept), accept)
        prediction = module.predict_fn(module.input_fn(data, content_type), model)
        return _answer(module.output_fn(prediction, accept), accept)

    return run


def _answer(result: Any, accept: str) -> tuple[bytes, str]:
    pair = (result, accept) if not isinstance(result, tuple) else cast("tuple[Any, Any]", result)
    content, kind = pair
    return content.encode() if isinstance(content, str) else bytes(content), str(kind)


def by_xgboost(model_dir: str) -> Transform:
    """Serve the model that the built-in algorithm left: CSV or libsvm in, CSV out."""
    import numpy as np
    import xgboost as xgb

    booster: Any = xgb.Booster()
    booster.load_model(Path(model_dir) / "xgboost-model")
    width = booster.num_features()
    separator = "\n" if os.environ.get("SAGEMAKER_BATCH") == "true" else ","

    def rows(body: bytes, kind: str) -> Any:
        text = body.decode("utf-8").strip()
        if kind == "text/csv":
            cells = [line.split(",") for line in text.splitlines()]
            return np.array([[float(cell or "nan") for cell in line] for line in cells])
        found = np.full((len(text.splitlines()), width), np.nan)
        for number, line in enumerate(text.splitlines()):
            for pair in line.split():
                index, _, value = pair.partition(":")
                if value:
                    found[number, int(index)] = float(value)
        return found

    def run(body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        kind = content_type.split(";")[0].strip().lower()
        if kind not in ("text/csv", "text/libsvm", "text/x-libsvm"):
            raise ToolkitError(415, f"Content-type {content_type} not supported.", "Unsupported")
        try:
            data = rows(body, kind)
        except ValueError as error:
            raise ToolkitError(415, f"Loading {kind} data failed: {error}", "Bad data") from error
        if data.shape[1] != width:
            text = f"Feature size of {kind} inference data {data.shape[1]} is not consistent with "
            raise ToolkitError(400, f"{text}feature size of trained model {width}.", "Bad data")
        predicted = booster.inplace_predict(data).tolist()
        return separator.join(map(str, predicted)).encode(), "text/csv"

    return run


def load() -> Transform:
    """Load what the environment names, as the image would at its start."""
    model_dir = os.environ["SM_MODEL_DIR"]
    program = os.environ.get("SAGEMAKER_PROGRAM", "")
    if not program:
        return by_xgboost(model_dir)
    _provide_toolkit()
    sys.path.insert(0, os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY", f"{model_dir}/code"))
    return by_script(importlib.import_module(program.removesuffix(".py")), model_dir)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    # One segment an answer, sent at once: else the client's delayed acknowledgement costs 40 ms.
    wbufsize = -1
    disable_nagle_algorithm = True
    transform: Transform

    def do_GET(self) -> None:
        """Answer a health check."""
        self._send(200 if self.path == "/ping" else 404, b"", "text/plain")

    def do_POST(self) -> None:
        """Answer an invocation."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path != "/invocations":
            self._send(404, b"", "text/plain")
            return
        kind = self.headers.get("Content-Type") or "application/json"
        accept = self.headers.get("Accept") or "*/*"
        usual = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", "application/json")
        try:
            content, given = type(self).transform(body, kind, usual if accept == "*/*" else accept)
        except Exception as error:
            # The toolkit answers with the message and the trace, and logs both.
            trace = traceback.format_exc()
            status = int(getattr(error, "status_code", 500))
            message = str(getattr(error, "message", None) or error)
            print(trace, flush=True)
            self._send(status, f"{message}\n{trace}".encode(), "text/plain")
            return
        self._send(200, content, given)

    def _send(self, status: int, content: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:
        """Leave the access log to whoever asks for it."""


class Server(ThreadingHTTPServer):
    """Takes a burst of connections as they come."""

    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    """Load the model, then serve until the end."""
    Handler.transform = staticmethod(load())  # type: ignore[assignment]
    server = Server(("127.0.0.1", 0), Handler)
    print(f"{READY}{json.dumps(server.server_address[1])}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()

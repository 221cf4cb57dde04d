"""The process of one MLflow app: MLflow's own REST server over a database file.

    python -m rehearsal.sagemaker.mlflow_program DATABASE ARTIFACTS SOCKET

DATABASE is the path of an SQLite file, ARTIFACTS an S3 URL, SOCKET the descriptor of a listening
socket. It ends when its standard input does, that is with the process that started it.
"""

import os
import socket
import sys
import threading
from typing import Any


def main() -> None:
    """Serve until standard input ends."""
    database, artifacts, descriptor = sys.argv[1:]
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Imported without the variables: with them MLflow wants its middleware against browsers, which
    # cannot reach a socket in a folder that is closed to others.
    from mlflow.server import app  # pyright: ignore[reportMissingImports]

    os.environ["_MLFLOW_SERVER_FILE_STORE"] = f"sqlite:///{database}"
    os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = artifacts
    from mlflow.server.handlers import (  # pyright: ignore[reportMissingImports]
        _get_tracking_store,  # pyright: ignore[reportPrivateUsage, reportUnknownVariableType]
    )
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        """Writes no line for each request."""

        protocol_version = "HTTP/1.1"

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Nothing."""

    _get_tracking_store()  # the tables are made before the first request
    make: Any = make_server
    server = make("unix://app", 0, app, threaded=True, request_handler=Quiet, fd=int(descriptor))
    server.serve_forever()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    assert hasattr(socket, "AF_UNIX")
    main()

"""The churn model at its server: beside the same prediction in this process, and by many rows."""

from __future__ import annotations

import http.client
import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, redirect_stdout
from itertools import pairwise
from pathlib import Path

from ml_src.churn import inference
from rehearsal.sagemaker.serving.container_server import READY
from rehearsal.sagemaker.serving.model_server import PROGRAM
from tests.benchmarks.measure import Figure
from tests.rehearsal.hosting import CUSTOMER, steady, trained

CALLS, WARM = 2_000, 200
CLIENTS = 8
SIZES = (1, 100, 10_000)
HEADERS = {"Content-Type": "text/csv", "Accept": "text/csv"}


def figures() -> list[Figure]:
    """One row at the server, its tail and eight clients at a time, and what a row costs."""
    with tempfile.TemporaryDirectory() as folder:
        with redirect_stdout(io.StringIO()):  # each round prints a line
            model = trained(Path(folder) / "churn", 100)
        empty = Path(folder) / "empty"
        with tarfile.open(fileobj=io.BytesIO(steady(0.5))) as archive:
            archive.extractall(empty, filter="data")
        with _served(model) as port, _served(empty) as idle:
            return [*_one_row(model, port, idle), *_abreast(port), *_rows(port)]


def _one_row(model: Path, port: int, idle: int) -> list[Figure]:
    loaded = inference.model_fn(str(model))

    def predict() -> None:
        rows = inference.input_fn(CUSTOMER, "text/csv")
        inference.output_fn(inference.predict_fn(rows, loaded), "text/csv")

    served, bare = _asker(port), _asker(idle)
    taken = _in_turns({"server": served, "process": predict, "empty": bare})
    middle = {name: statistics.median(seconds) for name, seconds in taken.items()}
    beside = middle["process"] + middle["empty"]
    detail = (
        f"medians of {CALLS:,}: {middle['server'] * 1e3:.2f} ms, beside "
        f"{middle['process'] * 1e3:.2f} ms in process and {middle['empty'] * 1e3:.2f} ms empty"
    )
    tail = sorted(taken["server"])[int(CALLS * 0.99)]
    return [
        Figure(
            "one row at the model server / in process + empty answer",
            middle["server"] / beside,
            aim=1.5,
            detail=detail,
        ),
        Figure("one row at the model server, p99", tail * 1e3, "ms"),
    ]


def _abreast(port: int) -> list[Figure]:
    """Calls a second with eight clients at a time."""
    each = CALLS // CLIENTS

    def ask() -> None:
        call = _asker(port)
        for _ in range(each):
            call()

    threads = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = CLIENTS * each / (time.perf_counter() - started)
    return [Figure(f"one row, {CLIENTS} clients at a time", rate, "calls/s")]


def _rows(port: int) -> list[Figure]:
    """Microseconds a row in requests of different sizes: they must fall."""
    found: list[tuple[int, float]] = []
    for size in SIZES:
        call = _asker(port, CUSTOMER * size)
        runs = 200 if size < 1000 else 10
        call()
        taken: list[float] = []
        for _ in range(runs):
            started = time.perf_counter()
            call()
            taken.append(time.perf_counter() - started)
        found.append((size, statistics.median(taken) / size * 1e6))
    figures = [Figure(f"a row in requests of {size:,}", cost, "µs") for size, cost in found]
    falls = max(later[1] / sooner[1] for sooner, later in pairwise(found))
    return [*figures, Figure("cost of a row, larger request / smaller", falls, aim=1.0)]


def _in_turns(calls: dict[str, Callable[[], None]]) -> dict[str, list[float]]:
    """Seconds of each call, in turns so that load is shared."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(WARM + CALLS):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            if number >= WARM:
                taken[name].append(time.perf_counter() - started)
    return taken


def _asker(port: int, body: str = CUSTOMER) -> Callable[[], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    content = body.encode()

    def ask() -> None:
        connection.request("POST", "/invocations", content, HEADERS)
        response = connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(answer.decode())

    return ask


@contextmanager
def _served(model: Path) -> Generator[int]:
    """Yield the port of a server of this model's folder."""
    environment = {
        **os.environ,
        "SM_MODEL_DIR": str(model),
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": str(model / "code"),
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    command = [sys.executable, "-P", "-s", str(PROGRAM)]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        line = next(line for line in server.stdout if line.startswith(READY))
        yield int(line.removeprefix(READY))
    finally:
        server.kill()
        server.wait()

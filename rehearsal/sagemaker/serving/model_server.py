"""One container that serves a model: its data fetched, its process started, asked and ended."""

import contextlib
import http.client
import re
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, LifoQueue

from rehearsal.sagemaker.container import Container, aws_variables
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.processes import JobProcess, Lines
from rehearsal.sagemaker.serving.container_server import READY
from rehearsal.sagemaker.transfers import DownloadError, download

PROGRAM = Path(__file__).with_name("container_server.py")
# What this machine has the packages for; TensorFlow and PyTorch are optional extras of the project.
SERVED = re.compile(r"(^|/)(sagemaker-)?(xgboost|scikit-learn)(:|@)")
START_SECONDS = 60.0
CONNECTIONS = 32


class ServingError(Exception):
    """A model cannot be served; the text is the reason as SageMaker gives it."""


@dataclass(frozen=True)
class ModelContainer:
    """A container of a model, with members as CreateModel has them."""

    image: str
    model_data_url: str | None
    environment: Mapping[str, str]


@dataclass(frozen=True)
class Answer:
    """What a container said to a request."""

    status: int
    content_type: str
    body: bytes
    seconds: float


class ModelServer:
    """A process that serves one model.

    Args:
        context: SageMaker's.
        label: names its folder.
        container: image, data and environment.
        role_arn: of the model; its data are read in this role's name.
        isolated: whether the container gets neither endpoint nor credentials.
        on_lines: told what the container prints.
        variant: for the reason of a failure; empty for a transform job.
    """

    def __init__(
        self,
        context: Context,
        *,
        label: str,
        container: ModelContainer,
        role_arn: str,
        isolated: bool,
        on_lines: Lines,
        variant: str = "",
    ) -> None:
        self._context = context
        self._of = container
        self._role = role_arn
        self._isolated = isolated
        self._on_lines = on_lines
        self._variant = variant
        self._folder = Container(context.run_folder, "serving", label)
        self._process: JobProcess | None = None
        self._port = 0
        self._told = threading.Event()
        self._idle: LifoQueue[http.client.HTTPConnection] = LifoQueue(CONNECTIONS)

    @property
    def pid(self) -> int | None:
        """The process that keeps the container's."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Fetch the model, start the process, wait until it answers /ping.

        Raises:
            ServingError: the model cannot be fetched or does not come up.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        if not SERVED.search(self._of.image):
            raise ServingError(
                f"the rehearsal serves models of SageMaker's XGBoost and scikit-learn images only; "
                f"the model's image is {self._of.image}"
            )
        self._fetch()
        variables = {
            **aws_variables(self._context, self._role, self._isolated),
            **self._of.environment,
            "SM_MODEL_DIR": "/opt/ml/model",
        }
        self._process = JobProcess(
            # -P: the program's own folder is no place to import from.
            [sys.executable, "-P", "-s", str(PROGRAM)],
            self._folder.environment(variables),
            self._folder.root,
            self._read(self._on_lines),
        )
        threading.Thread(target=self._watch, args=(self._process,), daemon=True).start()
        if not self._told.wait(START_SECONDS) or not self._port or not self._alive():
            raise ServingError(self._unhealthy())

    def _unhealthy(self) -> str:
        whose = f" for production variant {self._variant}" if self._variant else ""
        return (
            f"The primary container{whose} did not pass the ping health check. "
            "Please check CloudWatch logs for this endpoint."
        )

    def _fetch(self) -> None:
        """Unpack model.tar.gz into the container's /opt/ml/model."""
        target = self._folder.ml / "model"
        target.mkdir(parents=True, exist_ok=True)
        url = self._of.model_data_url
        if not url:
            return
        where = Location.of(url)
        archive = self._folder.root / "tmp" / "model"
        try:
            download(self._context.client("s3", self._role), where, archive)
        except DownloadError as error:
            raise ServingError(
                f"Failed to download model data from URL {url}. Please ensure that there is an "
                "object located at the URL and that the role passed to CreateModel has permissions "
                f"to download the object. ({error})"
            ) from error
        try:
            for found in archive.iterdir():
                with tarfile.open(found) as opened:
                    opened.extractall(target, filter="data")
        except (tarfile.TarError, OSError, EOFError) as error:
            raise ServingError(
                f"Failed to extract model data archive from URL {url}. Please ensure that it is "
                f"a valid tar.gz archive. ({error})"
            ) from error

    def _read(self, on_lines: Lines) -> Lines:
        """Take the port out of what the container prints."""

        def read(lines: list[str]) -> None:
            for line in lines:
                if not self._port and line.startswith(READY):
                    self._port = int(line.removeprefix(READY))
                    self._told.set()
            on_lines([line for line in lines if not line.startswith(READY)])

        return read

    def _watch(self, process: JobProcess) -> None:
        process.wait()
        self._told.set()  # nobody needs to wait for one that has ended

    def _alive(self) -> bool:
        try:
            return self._ask("GET", "/ping", b"", {}, 2.0).status == 200
        except (OSError, http.client.HTTPException):
            return False

    def invoke(
        self,
        body: bytes,
        content_type: str = "",
        accept: str = "",
        timeout: float = 60.0,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Put a request to /invocations.

        Args:
            body: the request.
            content_type, accept: of the request; empty: the header is not sent.
            timeout: seconds; a container must answer within 60 on AWS.
            headers: further ones.

        Raises:
            OSError, http.client.HTTPException: the container did not answer.
        """
        given = {"Content-Type": content_type, "Accept": accept, **(headers or {})}
        return self._ask(
            "POST", "/invocations", body, {k: v for k, v in given.items() if v}, timeout
        )

    def _ask(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], timeout: float
    ) -> Answer:
        started = time.perf_counter()
        try:
            connection, fresh = self._idle.get_nowait(), False
        except Empty:
            connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=timeout)
            fresh = True
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            if fresh:
                raise
            return self._ask(method, path, body, headers, timeout)  # it had been closed meanwhile
        kind = response.getheader("Content-Type") or "application/octet-stream"
        with contextlib.suppress(Exception):
            self._idle.put_nowait(connection)
        return Answer(response.status, kind, content, time.perf_counter() - started)

    def stop(self) -> None:
        """End the process and remove its folder."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(5)
        self._folder.remove()


Maker = Callable[..., ModelServer]

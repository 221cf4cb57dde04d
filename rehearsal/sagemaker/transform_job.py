"""One batch transform job: the model's own server, asked about every record."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from typing import Any

from rehearsal.sagemaker.announce import announce
from rehearsal.sagemaker.container import Container
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.endpoints.fleet import container_of
from rehearsal.sagemaker.images import Image
from rehearsal.sagemaker.injections import Injections
from rehearsal.sagemaker.job_log import JobLog
from rehearsal.sagemaker.jobs import JobFailed, Quit, Signals
from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.serving.model_server import ModelServer, ServingError
from rehearsal.sagemaker.surroundings import check_key, check_pull, cut, fetching, sending
from rehearsal.sagemaker.tables import Fields, now
from rehearsal.sagemaker.transfers import download, put
from rehearsal.sagemaker.transform_records import Plan, batches, request, result

KIND = "transform"
TABLE = "transform-job"
GROUP = "/aws/sagemaker/TransformJobs"
EVENT = "SageMaker Transform Job State Change"
SEE_LOGS = "See job logs for more information"


class Stopped(Exception):
    """The job was asked to stop."""


class TransformWork:
    """The thread's side of one job.

    Args:
        context: SageMaker's.
        name: of the job, which its table has already.
        model: what DescribeModel answers of its model, without name and times.
    """

    kind = KIND

    def __init__(self, context: Context, name: str, model: Fields) -> None:
        self.name = name
        self._context = context
        self._table = context.tables.table(TABLE)
        self._given = self._table.view(name).fields
        self._role = str(model["ExecutionRoleArn"])
        self._isolated = bool(model.get("EnableNetworkIsolation"))
        self._model = container_of(context, model)
        self._plan = Plan.of(self._given)
        self._log = JobLog(context, GROUP, f"{name}/i-{int(now() * 1000)}", self._role)

    def run(self, signals: Signals) -> None:
        """Serve, ask, write, and say how it ended."""
        self._announce()
        container = Container(self._context.run_folder, KIND, self.name)
        try:
            self._context.one(Injections).meet(KIND, self.name, signals)
            self._transform(container, signals)
            self._end("Completed")
        except Stopped:
            self._end("Stopped")
        except JobFailed as error:
            self._end("Failed", str(error))
        except Quit:
            raise
        except Exception as error:
            self._end("Failed", f"InternalServerError: {type(error).__name__}: {error}")
            raise
        finally:
            container.remove()

    def _transform(self, container: Container, signals: Signals) -> None:
        self._check_asked(signals)
        check_pull(self._context, self._role, Image.of(self._model.image))
        key: str | None = self._given["TransformOutput"].get("KmsKeyId")
        check_key(self._context, self._role, key, "TransformOutput.KmsKeyId")
        s3 = self._context.client("s3", self._role)
        source = Location.of(self._given["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
        inputs, outputs = container.root / "inputs", container.root / "outputs"
        unpack = self._given["TransformInput"].get("CompressionType") == "Gzip"
        fetching(lambda: download(s3, source, inputs, unpack=unpack))
        self._table.update(self.name, TransformStartTime=now())
        server = self._server()
        try:
            server.start()
        except ServingError as error:
            raise JobFailed(f"ClientError: {error}") from error
        target = Location.of(self._given["TransformOutput"]["S3OutputPath"])
        try:
            for path in sorted(each for each in inputs.rglob("*") if each.is_file()):
                name = f"{path.relative_to(inputs).as_posix()}.out"
                made, place = (
                    self._answer(server, path, outputs / name, signals),
                    target.below(name),
                )
                sending(lambda at=made, to=place: put(s3, at, to, key))
        finally:
            server.stop()

    def _server(self) -> ModelServer:
        own = {**self._given.get("Environment", {}), "SAGEMAKER_BATCH": "true"}
        model = replace(self._model, environment={**self._model.environment, **own})
        return ModelServer(
            self._context,
            label=self.name,
            container=model,
            role_arn=self._role,
            isolated=self._isolated,
            on_lines=self._log.lines,
        )

    def _answer(self, server: ModelServer, path: Path, place: Path, signals: Signals) -> Path:
        """Ask about one object's records, several requests at a time, answers in order."""

        def ask(batch: list[str]) -> bytes:
            self._check_asked(signals)
            return self._ask(server, path.name, batch)

        place.parent.mkdir(parents=True, exist_ok=True)
        abreast = max(1, int(self._given.get("MaxConcurrentTransforms") or 1))
        waiting: deque[Future[bytes]] = deque()
        with (
            path.open("rb") as source,
            place.open("wb") as target,
            ThreadPoolExecutor(abreast) as threads,
        ):
            for batch in batches(self._plan, source):
                waiting.append(threads.submit(ask, batch))
                if len(waiting) > abreast:
                    target.write(waiting.popleft().result())
            for answer in waiting:
                target.write(answer.result())
        return place

    def _ask(self, server: ModelServer, name: str, batch: list[str]) -> bytes:
        client: dict[str, Any] = self._given.get("ModelClientConfig", {})
        seconds = float(client.get("InvocationsTimeoutInSeconds", 600))
        accept = self._given["TransformOutput"].get("Accept", "")
        kind = self._given["TransformInput"].get("ContentType", "")
        try:
            answer = server.invoke(request(self._plan, batch), kind, accept, seconds)
        except (OSError, HTTPException) as error:
            self._log.lines([f"{name}: the model did not answer: {error}"])
            raise JobFailed(f"AlgorithmError: {SEE_LOGS}") from error
        if answer.status >= 300:
            said = answer.body[:1000].decode(errors="replace")
            self._log.lines([f"{name}: Bad HTTP status received from algorithm: {answer.status}"])
            self._log.lines([f"{name}: {said}"])
            whose = "ClientError" if answer.status < 500 else "AlgorithmError"
            raise JobFailed(f"{whose}: {SEE_LOGS}")
        try:
            return result(self._plan, batch, answer.body)
        except ValueError as error:
            self._log.lines([f"{name}: {error}"])
            raise JobFailed(f"ClientError: {SEE_LOGS}") from error

    def _check_asked(self, signals: Signals) -> None:
        if signals.asked() is not None:
            raise Stopped

    def _end(self, status: str, reason: str | None = None) -> None:
        self._table.update(
            self.name,
            TransformJobStatus=status,
            TransformEndTime=now(),
            FailureReason=cut(reason) if reason else None,
        )
        self._announce()

    def _announce(self) -> None:
        view = self._table.view(self.name)
        names = {"TransformJobName": self.name, "TransformJobArn": view.arn}
        announce(self._context, EVENT, view, names)

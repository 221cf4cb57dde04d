"""One attempt at a training job: a container, its data, its process, what comes out of it."""

from collections.abc import Callable
from typing import Any

from rehearsal.sagemaker.container import Container, aws_variables, resource_configuration
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.images import Image
from rehearsal.sagemaker.injections import Injections
from rehearsal.sagemaker.job_log import JobLog
from rehearsal.sagemaker.jobs import Ask, Ending, JobFailed, Quit, Signals, attend
from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.mirror import Mirror
from rehearsal.sagemaker.processes import JobProcess
from rehearsal.sagemaker.surroundings import check_key, check_pull, fetching, sending
from rehearsal.sagemaker.tables import Fields
from rehearsal.sagemaker.training_program import Program, channels, program
from rehearsal.sagemaker.training_state import TrainingState
from rehearsal.sagemaker.transfers import download, listed, pack, put, upload

CHECKPOINTS = "/opt/ml/checkpoints"
FOLDERS = ("input/config", "input/data", "model", "output/data")


class Attempt:
    """From the instance's start to its end.

    Args:
        context: SageMaker's.
        name, given: of the job; given is what Describe answers.
        container: its folder.
        state: where the statuses go.
        log: of the job.
    """

    def __init__(
        self,
        context: Context,
        name: str,
        given: Fields,
        container: Container,
        state: TrainingState,
        log: JobLog,
    ) -> None:
        self._context = context
        self._name = name
        self._given = given
        self._container = container
        self._state = state
        self._log = log
        self._role = str(given["RoleArn"])
        self._mirror: Mirror | None = None
        self.reason = ""  # of a process that failed

    def run(self, signals: Signals, seconds: Callable[[], float]) -> Ending | None:
        """Do all of it.

        Args:
            signals: of the job.
            seconds: asked when the process starts: how long it may run.

        Returns:
            how the process ended; None if the job was ended before it ran.
        """
        self._context.one(Injections).meet("training", self._name, signals)
        if signals.asked() is not None:
            return None
        image = Image.of(self._given["AlgorithmSpecification"]["TrainingImage"])
        check_pull(self._context, self._role, image)
        check_key(self._context, self._role, self._key, "OutputDataConfig.KmsKeyId")
        s3 = self._context.client("s3", self._role)
        self._state.move("Downloading")
        started = self._prepare(s3)
        if signals.asked() is not None:
            return None
        self._state.move("Training")
        try:
            ending = self._execute(started, signals, seconds())
        except Quit:
            if self._mirror is not None:
                self._mirror.abandon()
            raise
        self._close_mirror(ending)
        if ending.why is not Ask.INTERRUPT:
            self._upload(s3, ending)
        return ending

    @property
    def _key(self) -> str | None:
        return self._given["OutputDataConfig"].get("KmsKeyId")

    def _prepare(self, s3: Any) -> Program:
        container, given = self._container, self._given
        for folder in FOLDERS:
            (container.ml / folder).mkdir(parents=True, exist_ok=True)
        hyperparameters: dict[str, str] = given.get("HyperParameters", {})
        rewritten = {name: container.rewrite(text) for name, text in hyperparameters.items()}
        container.write_json("input/config/hyperparameters.json", rewritten)
        container.write_json("input/config/inputdataconfig.json", channels(given))
        resources = resource_configuration(given["ResourceConfig"]["InstanceType"])
        container.write_json("input/config/resourceconfig.json", resources)
        for each in given.get("InputDataConfig", []):
            source = Location.of(each["DataSource"]["S3DataSource"]["S3Uri"])
            place = container.ml / "input" / "data" / each["ChannelName"]
            unpack = each.get("CompressionType") == "Gzip"
            fetching(lambda loc=source, to=place, un=unpack: download(s3, loc, to, unpack=un))
        self._fetch_checkpoints(s3)
        return program(container, self._name, given, s3)

    def _fetch_checkpoints(self, s3: Any) -> None:
        """What lies at CheckpointConfig.S3Uri comes first, then the folder is copied there."""
        configuration: Fields | None = self._given.get("CheckpointConfig")
        if configuration is None:
            return
        folder = self._container.path(configuration.get("LocalPath", CHECKPOINTS))
        folder.mkdir(parents=True, exist_ok=True)
        uri = str(configuration["S3Uri"]).rstrip("/")
        source = Location.of(f"{uri}/")

        def fetch() -> None:
            if listed(s3, source):
                download(s3, source, folder)

        fetching(fetch)
        self._mirror = Mirror(s3, folder, Location.of(uri), self._key)

    def _execute(self, started: Program, signals: Signals, seconds: float) -> Ending:
        isolated = bool(self._given.get("EnableNetworkIsolation"))
        variables = {
            **aws_variables(self._context, self._role, isolated),
            "TRAINING_JOB_NAME": self._name,
            "TRAINING_JOB_ARN": self._context.arn("training-job", self._name),
            **started.variables,
            **self._given.get("Environment", {}),
        }
        process = JobProcess(
            started.command,
            self._container.environment(variables),
            started.folder,
            self._log.lines,
            signals.wake,
        )
        ending = attend(process, signals, seconds)
        if ending.status != 0:
            self.reason = started.failure or self._container.read_text("output/failure")
        return ending

    def _close_mirror(self, ending: Ending) -> None:
        if self._mirror is None:
            return
        self._mirror.close()
        error = self._mirror.error
        if error is not None and (ending.why is not None or ending.status == 0):
            raise JobFailed(f"ClientError: Artifact upload failed:{error}")

    def _upload(self, s3: Any, ending: Ending) -> None:
        """The model of a job that completed or was ended, and output data in any case."""
        if ending.status == 0 or ending.why is not None:
            self._state.move("Uploading")
            self._send(s3, "model", "model")
        self._send(s3, "output/data", "output")

    def _send(self, s3: Any, folder: str, title: str) -> None:
        """model.tar.gz or output.tar.gz; the files themselves with CompressionType NONE."""
        source = self._container.ml / folder
        if not any(path.is_file() for path in source.rglob("*")):
            return
        target = output_location(self._given, self._name)
        if self._given["OutputDataConfig"].get("CompressionType") == "NONE":
            sending(lambda: upload(s3, source, target.below(title), self._key))
            return
        archive = self._container.root / f"{title}.tar.gz"
        pack(source, archive)
        sending(lambda: put(s3, archive, target.below(archive.name), self._key))


def output_location(given: Fields, name: str) -> Location:
    """Where a job's artifacts go: `<S3OutputPath>/<job>/output`."""
    return Location.of(given["OutputDataConfig"]["S3OutputPath"]).below(name, "output")


def model_artifacts(given: Fields, name: str) -> dict[str, str]:
    """ModelArtifacts of a job."""
    plain = given["OutputDataConfig"].get("CompressionType") == "NONE"
    place = output_location(given, name)
    return {
        "S3ModelArtifacts": f"{place.below('model')}/"
        if plain
        else str(place.below("model.tar.gz"))
    }

"""One processing job, from its start to its last status."""

from pathlib import Path
from typing import Any

from rehearsal.sagemaker.announce import announce
from rehearsal.sagemaker.container import (
    Container,
    aws_variables,
    resource_configuration,
)
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.images import Image
from rehearsal.sagemaker.injections import Injections
from rehearsal.sagemaker.job_log import JobLog
from rehearsal.sagemaker.jobs import Ending, JobFailed, Quit, Signals, attend
from rehearsal.sagemaker.locations import Location
from rehearsal.sagemaker.mirror import Mirror
from rehearsal.sagemaker.processes import JobProcess
from rehearsal.sagemaker.surroundings import check_key, check_pull, cut, fetching, sending
from rehearsal.sagemaker.tables import now
from rehearsal.sagemaker.transfers import download, upload

KIND = "processing"
GROUP = "/aws/sagemaker/ProcessingJobs"
EVENT = "SageMaker Processing Job State Change"


class ProcessingWork:
    """The thread's side of one job.

    Args:
        context: SageMaker's.
        name: of the job, which its table has already.
    """

    kind = KIND

    def __init__(self, context: Context, name: str) -> None:
        self.name = name
        self._context = context
        self._table = context.tables.table("processing-job")
        view = self._table.view(name)
        self._arn = view.arn
        self._given = view.fields
        self._role = str(view.fields["RoleArn"])

    def run(self, signals: Signals) -> None:
        """Fetch, run, write back, and say how it ended."""
        self._announce()
        container = Container(self._context.run_folder, KIND, self.name)
        try:
            ending = self._run(container, signals)
            message = container.read_text("output/message")
            if ending is None or ending.why is not None:
                self._end("Stopped", message)
            elif ending.status == 0:
                self._end("Completed", message)
            else:
                reason = "AlgorithmError: See job logs for more information"
                self._end("Failed", message, reason)
        except JobFailed as error:
            self._end("Failed", container.read_text("output/message"), str(error))
        except Quit:
            raise
        except Exception as error:
            self._end("Failed", "", f"InternalServerError: {type(error).__name__}: {error}")
            raise
        finally:
            container.remove()

    def _run(self, container: Container, signals: Signals) -> Ending | None:
        """Everything but the last status; None if the job was stopped before it ran."""
        self._context.one(Injections).meet(KIND, self.name, signals)
        if signals.asked() is not None:
            return None
        image = Image.of(self._given["AppSpecification"]["ImageUri"])
        check_pull(self._context, self._role, image)
        check_key(self._context, self._role, self._key, "ProcessingOutputConfig.KmsKeyId")
        self._prepare(container)
        s3 = self._context.client("s3", self._role)
        self._fetch(container, s3)
        if signals.asked() is not None:
            return None
        self._table.update(self.name, ProcessingStartTime=now())
        mirrors = self._mirrors(container, s3)
        try:
            ending = self._execute(container, signals)
        except Quit:
            for mirror in mirrors:
                mirror.abandon()
            raise
        self._write_back(container, s3, mirrors, ending)
        return ending

    @property
    def _key(self) -> str | None:
        return self._given.get("ProcessingOutputConfig", {}).get("KmsKeyId")

    def _prepare(self, container: Container) -> None:
        cluster = self._given["ProcessingResources"]["ClusterConfig"]
        described = {"ProcessingJobArn": self._arn, "ProcessingJobName": self.name, **self._given}
        container.write_json("config/processingjobconfig.json", described)
        configuration = resource_configuration(cluster["InstanceType"])
        container.write_json("config/resourceconfig.json", configuration)
        (container.ml / "output").mkdir()

    def _fetch(self, container: Container, s3: Any) -> None:
        for each in self._given.get("ProcessingInputs", []):
            source = each["S3Input"]
            place, unpack = (
                container.path(source["LocalPath"]),
                source.get("S3CompressionType") == "Gzip",
            )
            location = Location.of(source["S3Uri"])
            fetching(lambda loc=location, to=place, un=unpack: download(s3, loc, to, unpack=un))

    def _outputs(self, container: Container) -> list[tuple[Path, Location, bool]]:
        """Folder, target and whether it goes while the job runs."""
        outputs: list[dict[str, Any]] = self._given.get("ProcessingOutputConfig", {}).get(
            "Outputs", []
        )
        found: list[tuple[Path, Location, bool]] = []
        for each in outputs:
            target = each["S3Output"]
            place = container.path(target["LocalPath"])
            place.mkdir(parents=True, exist_ok=True)
            continuous = target["S3UploadMode"] == "Continuous"
            found.append((place, Location.of(target["S3Uri"]), continuous))
        return found

    def _mirrors(self, container: Container, s3: Any) -> list[Mirror]:
        return [
            Mirror(s3, place, target, self._key)
            for place, target, continuous in self._outputs(container)
            if continuous
        ]

    def _execute(self, container: Container, signals: Signals) -> Ending:
        network = self._given.get("NetworkConfig", {})
        isolated = bool(network.get("EnableNetworkIsolation"))
        application = self._given["AppSpecification"]
        command = [
            *application["ContainerEntrypoint"],
            *application.get("ContainerArguments", []),
        ]
        variables = aws_variables(self._context, self._role, isolated)
        environment = container.environment({**variables, **self._given.get("Environment", {})})
        log = JobLog(self._context, GROUP, f"{self.name}/algo-1-{int(now() * 1000)}", self._role)
        process = JobProcess(
            container.rewrite_all(command), environment, container.root, log.lines, signals.wake
        )
        return attend(process, signals, self._given["StoppingCondition"]["MaxRuntimeInSeconds"])

    def _write_back(
        self, container: Container, s3: Any, mirrors: list[Mirror], ending: Ending
    ) -> None:
        """Continuous outputs always, the others of a job that has completed."""
        for mirror in mirrors:
            mirror.close()
            if mirror.error is not None and ending.status == 0:
                raise JobFailed(f"ClientError: Artifact upload failed:{mirror.error}")
        if ending.why is not None or ending.status != 0:
            return
        for place, target, continuous in self._outputs(container):
            if not continuous:
                sending(lambda at=place, to=target: upload(s3, at, to, self._key))

    def _end(self, status: str, message: str, reason: str | None = None) -> None:
        self._table.update(
            self.name,
            ProcessingJobStatus=status,
            ProcessingEndTime=now(),
            ExitMessage=cut(message) or None,
            FailureReason=cut(reason) if reason else None,
        )
        self._announce()

    def _announce(self) -> None:
        view = self._table.view(self.name)
        names = {"ProcessingJobName": self.name, "ProcessingJobArn": view.arn}
        announce(self._context, EVENT, view, names)

"""The operations: projects, their versions, and tags."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from rehearsal.answers import digest
from rehearsal.aws_json import Call, ServiceError
from rehearsal.custom_labels import training
from rehearsal.custom_labels.training import Caller
from rehearsal.custom_labels.versions import Fields, Project, Script, Times, Version

Operation = Callable[[Call], Awaitable[Mapping[str, Any]]]


class Store(Protocol):
    """S3 as the service sees it."""

    def caller(self, headers: dict[str, str], query: dict[str, list[str]]) -> Caller:
        """Who sent a request."""
        ...

    def read_version(self, bucket: str, key: str, version: str | None) -> bytes | None:
        """The object's bytes, or a version's; None if there is none."""
        ...

    def write(self, bucket: str, key: str, content: bytes) -> None:
        """Put an object, past every policy: ask the caller first."""
        ...


class CustomLabels:
    """Projects and versions.

    Args:
        store: S3.
        region, account: that the service stands for.

    Attributes:
        times: how long things take.
        operations: by name, for `Rekognition.operations`.
    """

    def __init__(self, store: Store, region: str, account: str) -> None:
        self.times = Times()
        self.operations: dict[str, Operation] = {
            "CreateProject": self._create_project,
            "DescribeProjects": self._describe_projects,
            "DeleteProject": self._delete_project,
            "CreateProjectVersion": self._create_version,
            "DescribeProjectVersions": self._describe_versions,
            "StartProjectVersion": self._start,
            "StopProjectVersion": self._stop,
            "DeleteProjectVersion": self._delete_version,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._tags,
        }
        self._store = store
        self._place = f"arn:aws:rekognition:{region}:{account}:project"
        self._projects: dict[str, Project] = {}
        self._scripts: dict[str, Script] = {}
        self._manifests: dict[str, list[bytes]] = {}

    def reset(self) -> None:
        """Forget everything."""
        self.times = Times()
        for table in (self._projects, self._scripts, self._manifests):
            table.clear()

    def script(self, sha256: str, script: Script) -> None:
        """Say what a training comes to, by the digest of its training manifest."""
        self._scripts[sha256] = script

    def admit(self, call: Call) -> None:
        """Let DetectCustomLabels in if its version runs.

        A version of a project that was not made here counts as running: it is someone else's.
        """
        arn = str(call.parameters["ProjectVersionArn"])
        project = self._projects.get(arn.split("/")[1])
        if project is None:
            return
        version = self._version(arn)
        version.advance()
        if version.status != "RUNNING":
            raise ServiceError("ResourceNotReadyException", f"{arn} is {version.status}")

    # --- projects --------------------------------------------------------------------------------

    async def _create_project(self, call: Call) -> Fields:
        name = call.parameters["ProjectName"]
        if name in self._projects:
            raise ServiceError("ResourceInUseException", f"there is a project {name} already")
        now = time.time()
        arn = f"{self._place}/{name}/{round(1000 * now)}"
        self._projects[name] = Project(name, arn, now, dict(call.parameters.get("Tags", {})))
        return {"ProjectArn": arn}

    async def _describe_projects(self, call: Call) -> Fields:
        names = call.parameters.get("ProjectNames") or list(self._projects)
        found = [self._projects[name] for name in names if name in self._projects]
        return {
            "ProjectDescriptions": [
                {
                    "ProjectArn": each.arn,
                    "CreationTimestamp": each.created,
                    "Status": "CREATED",
                    "Datasets": [],
                    "Feature": "CUSTOM_LABELS",
                }
                for each in found
            ]
        }

    async def _delete_project(self, call: Call) -> Fields:
        project = self._project(call.parameters["ProjectArn"])
        if project.versions:
            text = f"{project.arn} holds {len(project.versions)} versions; delete them first"
            raise ServiceError("ResourceInUseException", text)
        del self._projects[project.name]
        return {"Status": "DELETING"}

    # --- versions --------------------------------------------------------------------------------

    async def _create_version(self, call: Call) -> Fields:
        given = call.parameters
        project, name = self._project(given["ProjectArn"]), given["VersionName"]
        if name in project.versions:
            raise ServiceError("ResourceInUseException", f"there is a version {name} already")
        if "TrainingData" not in given or "TestingData" not in given:
            text = "the project has no data sets; wanted are TrainingData and TestingData"
            raise ServiceError("InvalidParameterException", text)
        caller = self._store.caller(call.headers, call.query)
        contents = training.read(caller, self._store.read_version, given)
        now = time.time()
        arn = f"{self._place}/{project.name}/version/{name}/{round(1000 * now)}"
        version = Version(name, arn, given, now, tags=dict(given.get("Tags", {})))
        version.becomes("TRAINING_IN_PROGRESS", "TRAINING_COMPLETED", self.times.training)
        project.versions[name] = version
        self._manifests[arn] = contents
        return {"ProjectVersionArn": arn}

    async def _describe_versions(self, call: Call) -> Fields:
        project = self._project(call.parameters["ProjectArn"])
        names = call.parameters.get("VersionNames") or list(project.versions)
        found = [project.versions[name] for name in names if name in project.versions]
        for version in found:
            await self._settle(project, version)
        newest = sorted(found, key=lambda each: -each.created)
        return {"ProjectVersionDescriptions": [each.described() for each in newest]}

    async def _settle(self, project: Project, version: Version) -> None:
        """Let what is due happen; the end of a training writes its files."""
        if not version.advance() or version.arn not in self._manifests:
            return
        contents = self._manifests.pop(version.arn)
        script = self._scripts.get(digest(contents[0]))
        written = training.finish(version, project.name, script, contents)
        if written:
            await asyncio.to_thread(self._store.write, *written)

    async def _start(self, call: Call) -> Fields:
        given = call.parameters
        version = await self._settled(given["ProjectVersionArn"])
        most = given.get("MaxInferenceUnits")
        version.start(given["MinInferenceUnits"], most, self.times.start)
        return {"Status": version.status}

    async def _stop(self, call: Call) -> Fields:
        version = await self._settled(call.parameters["ProjectVersionArn"])
        version.stop(self.times.stop)
        return {"Status": version.status}

    async def _delete_version(self, call: Call) -> Fields:
        version = await self._settled(call.parameters["ProjectVersionArn"])
        version.require_deletable()
        del self._projects[version.arn.split("/")[1]].versions[version.name]
        return {"Status": "DELETING"}

    # --- tags ------------------------------------------------------------------------------------

    async def _tag(self, call: Call) -> Fields:
        self._tagged(call).update(call.parameters["Tags"])
        return {}

    async def _untag(self, call: Call) -> Fields:
        tags = self._tagged(call)
        for key in call.parameters["TagKeys"]:
            tags.pop(key, None)
        return {}

    async def _tags(self, call: Call) -> Fields:
        return {"Tags": dict(self._tagged(call))}

    def _tagged(self, call: Call) -> dict[str, str]:
        arn = call.parameters["ResourceArn"]
        return (self._version(arn) if "/version/" in arn else self._project(arn)).tags

    # --- finding ---------------------------------------------------------------------------------

    async def _settled(self, arn: str) -> Version:
        version = self._version(arn)
        await self._settle(self._projects[arn.split("/")[1]], version)
        return version

    def _project(self, arn: str) -> Project:
        found = self._projects.get(arn.split("/")[1])
        if found is None or found.arn != arn:
            raise ServiceError("ResourceNotFoundException", f"there is no project {arn}")
        return found

    def _version(self, arn: str) -> Version:
        _, name, _, version, _ = arn.split("/")
        project = self._projects.get(name)
        found = project.versions.get(version) if project else None
        if found is None or found.arn != arn:
            raise ServiceError("ResourceNotFoundException", f"there is no version {arn}")
        return found

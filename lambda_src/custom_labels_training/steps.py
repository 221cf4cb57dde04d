"""The two steps of a training that are code: before it, and after it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from custom_labels_training import gate, images, manifest
from custom_labels_training.gate import Gate
from custom_labels_training.images import Stored
from custom_labels_training.manifest import ManifestErrors, Place
from shared.clock import Clock
from shared.custom_models import ModelTable, Training

TAG = "sagelens:gate"


@dataclass(frozen=True)
class Model:
    """A model as configured: its name, its project's, where its images lie, what it must reach."""

    name: str
    project: str
    place: Place
    least_images: int
    gate: Gate

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Model":
        """Read the variable MODEL."""
        return cls(
            name=str(given["name"]),
            project=str(given["project"]),
            place=Place(str(given["bucket"]), str(given["prefix"])),
            least_images=int(given["least_images"]),
            gate=Gate(float(given["f1"]), float(given["recall"])),
        )


@dataclass(frozen=True)
class Steps:
    """The steps, with their clients."""

    s3: Any
    rekognition: Any
    table: ModelTable
    model: Model
    clock: Clock

    def check(self) -> dict[str, Any]:
        """Check both manifests; return which versions of them are to be trained on.

        Raises ManifestErrors with everything that is wrong.
        """
        self._refuse_datasets()
        place = self.model.place
        stored = [
            Stored.newest(self.s3, place.bucket, f"{place.prefix}{name}.manifest")
            for name in ("train", "test")
        ]
        train, test = (
            manifest.read(each.key.rpartition("/")[2], each.lines(), place) for each in stored
        )
        problem_of = partial(images.problem_of, self.s3, place.bucket)
        for each in (train, test):
            manifest.check_images(each, problem_of, images.side_by_side)
        manifest.check_together(train, test, self.model.least_images)
        manifest.require(train, test)
        return {
            "train": stored[0].lineage(len(train.keys)),
            "test": stored[1].lineage(len(test.keys)),
            "labels": dict(train.labels),
        }

    def judge(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Judge a trained version, tag it, write it down, and let it go live if it passed.

        event: `version` (ARN), `name`, `created` (ISO 8601), `f1`, `summary` (Bucket, Name),
        `seconds` (billed), `check` (what `check` returned), `execution`. It may come twice.
        """
        place = event["summary"]
        body = self.s3.get_object(Bucket=place["Bucket"], Key=place["Name"])["Body"].read()
        found = gate.scores(float(event["f1"]), json.loads(body))
        told = gate.reasons(found, self.model.gate, event["check"]["labels"])
        self.rekognition.tag_resource(
            ResourceArn=event["version"], Tags={TAG: "failed" if told else "passed"}
        )
        self.table.record(
            Training(
                model=self.model.name,
                version=event["name"],
                arn=event["version"],
                created=event["created"],
                passed=not told,
                details={
                    "f1": found.f1,
                    "recalls": dict(found.recalls),
                    "reasons": told,
                    "gate": {"f1": self.model.gate.f1, "recall": self.model.gate.recall},
                    "billed_seconds": event["seconds"],
                    "execution": event["execution"],
                    "judged_at": self.clock.iso(),
                    **event["check"],
                },
            )
        )
        return {"passed": not told, "told": f"{event['name']} may not go live: {'; '.join(told)}"}

    def _refuse_datasets(self) -> None:
        """Refuse a project with data sets, which Amazon trains on manifests no more.

        The console makes them when someone opens the project ("CreateProjectVersion").
        """
        found = self.rekognition.describe_projects(ProjectNames=[self.model.project])
        arns = [
            each["DatasetArn"]
            for project in found["ProjectDescriptions"]
            for each in project.get("Datasets", ())
        ]
        if arns:
            commands = "\n".join(f"aws rekognition delete-dataset --dataset-arn {a}" for a in arns)
            raise ManifestErrors(
                f"nothing was trained: the project {self.model.project} has data sets, which the "
                "console makes when someone opens it; with them Amazon takes no manifests. Delete "
                f"them first:\n{commands}"
            )

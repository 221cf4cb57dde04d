"""What a run has left in S3: evaluation.json, training.json and plots.

training.json lies in the training job's `output.tar.gz`, beside `model.tar.gz`: SageMaker packs
whatever a job writes to /opt/ml/output/data ("Amazon SageMaker Training Storage Folders").
"""

import json
import tarfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from botocore.exceptions import ClientError  # pyright: ignore[reportMissingTypeStubs]

TRAINING = "training.json"
EVALUATION = "evaluation.json"
OUTPUT = "output.tar.gz"
LARGEST_DOCUMENT = 16 * 1024 * 1024
LARGEST_OUTPUT = 512 * 1024 * 1024
LARGEST_PLOT = 64 * 1024 * 1024
MOST_PLOTS = 100
NOT_GOT = ("NoSuchKey", "404", "NotFound", "AccessDenied", "403")
NONE: "Mapping[str, Place]" = {}


@dataclass(frozen=True)
class Place:
    """An object or folder in S3."""

    bucket: str
    key: str

    @classmethod
    def of(cls, url: str) -> "Place":
        """The place that an s3:// URL names."""
        bucket, _, key = url.removeprefix("s3://").partition("/")
        return cls(bucket, key)

    def beside(self, name: str) -> "Place":
        """Another object in the same folder."""
        return Place(self.bucket, self.key.rpartition("/")[0] + f"/{name}")

    def under(self, name: str) -> "Place":
        """An object in this folder."""
        return Place(self.bucket, f"{self.key.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class Results:
    """What was found.

    training, evaluation: the documents, empty where there is none. plots: where the pictures
    lie, by name. missing: what should be there and is not, or is too large, in words.
    """

    training: Mapping[str, Any]
    evaluation: Mapping[str, Any]
    plots: Mapping[str, Place]
    missing: tuple[str, ...]


class Reader:
    """Reads results from S3.

    s3: a botocore client.
    """

    def __init__(self, s3: Any) -> None:
        self._s3 = s3
        self._missing: list[str] = []

    def read(self, model_url: str, evaluation_url: str, plots_url: str) -> Results:
        """Gather everything that a run has left; see `Results`.

        What is not there is noted. What may not be read raises botocore's ClientError, and a
        document that is no JSON object raises ValueError with its place.
        """
        self._missing = []
        training = self._training(Place.of(model_url).beside(OUTPUT))
        evaluation: Mapping[str, Any] = {}
        if evaluation_url:
            place = Place.of(evaluation_url)
            if not place.key.endswith(".json"):
                place = place.under(EVALUATION)
            evaluation = self._document(place)
        plots: Mapping[str, Place] = self._plots(Place.of(plots_url)) if plots_url else NONE
        return Results(training, evaluation, plots, tuple(self._missing))

    def _document(self, place: Place) -> Mapping[str, Any]:
        body = self._get(place, LARGEST_DOCUMENT)
        return {} if body is None else parse(body.read(), str(place))

    def _training(self, place: Place) -> Mapping[str, Any]:
        body = self._get(place, LARGEST_OUTPUT)
        if body is None:
            return {}
        # As a stream: neither the archive nor its other files are ever held in memory.
        try:
            with tarfile.open(fileobj=body, mode="r|gz") as archive:
                for member in archive:
                    if member.name.rpartition("/")[2] == TRAINING and member.isfile():
                        return self._member(archive, member, place)
        except (tarfile.TarError, EOFError, zlib.error) as error:
            raise ValueError(f"{place} is no tar.gz: {error}") from error
        return {}

    def _member(
        self, archive: tarfile.TarFile, member: tarfile.TarInfo, place: Place
    ) -> Mapping[str, Any]:
        where = f"{member.name} in {place}"
        if member.size > LARGEST_DOCUMENT:
            self._missing.append(f"{where}: {member.size:,} bytes, read are {LARGEST_DOCUMENT:,}")
            return {}
        content = archive.extractfile(member)
        return parse(content.read() if content else b"", where)

    def _plots(self, folder: Place) -> Mapping[str, Place]:
        prefix = folder.key.rstrip("/") + "/"
        listed = self._s3.list_objects_v2(
            Bucket=folder.bucket, Prefix=prefix, MaxKeys=MOST_PLOTS + 1
        )
        found = cast("list[dict[str, Any]]", listed.get("Contents", []))
        if not found:
            self._missing.append(f"plots: none in {folder}")
        if len(found) > MOST_PLOTS:
            self._missing.append(f"plots: {folder} has more than the {MOST_PLOTS} that are kept")
        plots: dict[str, Place] = {}
        for each in found[:MOST_PLOTS]:
            name = each["Key"].removeprefix(prefix)
            if each["Size"] > LARGEST_PLOT:
                self._missing.append(f"{name}: {each['Size']:,} bytes, kept are {LARGEST_PLOT:,}")
            elif name:
                plots[name] = Place(folder.bucket, each["Key"])
        return plots

    def _get(self, place: Place, largest: int) -> Any:
        try:
            found = self._s3.get_object(Bucket=place.bucket, Key=place.key)
        except ClientError as error:
            response = cast("dict[str, dict[str, str]]", error.response)
            if response.get("Error", {}).get("Code") in NOT_GOT and not self._is_there(place):
                # A built-in algorithm writes no output of its own.
                if not place.key.endswith(OUTPUT):
                    self._missing.append(f"{place} is not there")
                return None
            raise
        if found["ContentLength"] > largest:
            self._missing.append(f"{place}: {found['ContentLength']:,} bytes, read are {largest:,}")
            found["Body"].close()
            return None
        return found["Body"]

    def _is_there(self, place: Place) -> bool:
        """Whether the object exists. S3 tells that by GetObject only to who may list everything."""
        listed = self._s3.list_objects_v2(Bucket=place.bucket, Prefix=place.key, MaxKeys=1)
        return any(each["Key"] == place.key for each in listed.get("Contents", []))


def parse(content: bytes, where: str) -> Mapping[str, Any]:
    """A document as an object. Raises ValueError, naming its place, if it is none."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{where} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ValueError(f"{where} is JSON but no object: {type(document).__name__}")
    return cast("dict[str, Any]", document)

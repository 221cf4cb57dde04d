"""What a training reads and writes, with its caller's permissions; what it finds is scripted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Protocol

from rehearsal.answers import digest
from rehearsal.aws_json import ServiceError
from rehearsal.custom_labels.versions import Fields, Script, Version

# Those of the managed policy AmazonRekognitionCustomLabelsFullAccess.
BUCKET_ACTIONS = ("s3:GetBucketAcl", "s3:GetBucketLocation")
OBJECT_ACTIONS = ("s3:GetObject", "s3:GetObjectAcl", "s3:GetObjectTagging")
# "Encrypting copied training and test images", Amazon Rekognition Custom Labels.
KEY_ACTIONS = ("kms:DescribeKey", "kms:CreateGrant")


class Caller(Protocol):
    """The permissions of whoever sent a request (the adapter's Caller)."""

    def may(self, action: str, resource_arn: str, **context: str) -> bool:
        """Whether this caller may do something; condition keys by name, `:` written as `__`."""
        ...


class Reader(Protocol):
    """Reads an object, or a version of it; None if there is none."""

    def __call__(self, bucket: str, key: str, version: str | None) -> bytes | None: ...


def manifests(given: Fields) -> Iterator[Fields]:
    """The places of the manifests of a request: of training, then of testing."""
    for part in ("TrainingData", "TestingData"):
        for asset in given.get(part, {}).get("Assets", ()):
            yield asset["GroundTruthManifest"]["S3Object"]


def read(caller: Caller, reader: Reader, given: Fields) -> list[bytes]:
    """The manifests, once the caller may do all that a training takes.

    Raises:
        ServiceError: the caller lacks something, or a manifest or an image is not there.
    """
    found: list[bytes] = []
    output = given["OutputConfig"]
    needed = [("s3:PutObject", output["S3Bucket"], f"{output['S3KeyPrefix']}/summary.json")]
    for place in manifests(given):
        version = place.get("Version")
        content = _object(caller, reader, place["Bucket"], place["Name"], version)
        found.append(content)
        for bucket, key in _images(content):
            _object(caller, reader, bucket, key, None)
        needed += [(action, place["Bucket"], "") for action in BUCKET_ACTIONS]
    needed += [(action, output["S3Bucket"], "") for action in BUCKET_ACTIONS]
    for action, bucket, key in needed:
        _require(caller, action, f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else ""))
    for action in KEY_ACTIONS if "KmsKeyId" in given else ():
        _require(caller, action, given["KmsKeyId"], kms__GrantIsForAWSResource="true")
    return found


def _object(caller: Caller, reader: Reader, bucket: str, key: str, version: str | None) -> bytes:
    arn = f"arn:aws:s3:::{bucket}/{key}"
    for action in (*OBJECT_ACTIONS, *(("s3:GetObjectVersion",) if version else ())):
        _require(caller, action, arn)
    content = reader(bucket, key, version)
    if content is None:
        raise ServiceError("InvalidParameterException", f"there is no object s3://{bucket}/{key}")
    return content


def _require(caller: Caller, action: str, arn: str, **context: str) -> None:
    if not caller.may(action, arn, **context):
        text = f"the caller is not authorized to perform: {action} on resource: {arn}"
        raise ServiceError("AccessDeniedException", text)


def _images(manifest: bytes) -> Iterator[tuple[str, str]]:
    for line in manifest.decode().splitlines():
        bucket, _, key = json.loads(line)["source-ref"].removeprefix("s3://").partition("/")
        yield bucket, key


def finish(
    version: Version, project: str, script: Script | None, contents: list[bytes]
) -> tuple[str, str, bytes] | None:
    """End a training as it is scripted; return bucket, key and content of its summary, if any."""
    if script is None or script.failure:
        version.becomes("TRAINING_FAILED")
        version.told["StatusMessage"] = script.failure if script else _unscripted(contents[0])
        return None
    output = version.given["OutputConfig"]
    key = f"{output['S3KeyPrefix']}/EvaluationSummary-{project}-{version.name}.json"
    place = {"Bucket": output["S3Bucket"], "Name": key}
    version.told |= {
        "TrainingEndTimestamp": version.due,
        "BillableTrainingTimeInSeconds": max(1, round(version.due - version.created)),
        "EvaluationResult": {"F1Score": script.f1, "Summary": {"S3Object": place}},
        "TrainingDataResult": {"Input": version.given["TrainingData"]},
        "TestingDataResult": {"Input": version.given["TestingData"]},
    }
    text = json.dumps(_summary(version, script, [len(each.splitlines()) for each in contents]))
    return output["S3Bucket"], key, text.encode()


def _summary(version: Version, script: Script, images: list[int]) -> dict[str, Any]:
    """The summary file ("Accessing the model summary file", Amazon Rekognition Custom Labels)."""
    ended = datetime.fromtimestamp(version.due, UTC).isoformat()
    return {
        "Version": 1,
        "AggregatedEvaluationResults": {"F1Score": script.f1},
        "EvaluationDetails": {
            "EvaluationEndTimestamp": ended,
            "Labels": sorted(script.recalls),
            "NumberOfTrainingImages": images[0],
            "NumberOfTestingImages": images[1],
            "ProjectVersionArn": version.arn,
        },
        "LabelEvaluationResults": [
            {"Label": label, "Metrics": {"Recall": recall}}
            for label, recall in sorted(script.recalls.items())
        ],
    }


def _unscripted(manifest: bytes) -> str:
    return (
        f"nobody has scripted what a training on the manifest with SHA-256 {digest(manifest)} "
        "comes to; give it by aws.rekognition.script_training(manifest, f1=…, recalls={…}): the "
        "rehearsal never invents one"
    )

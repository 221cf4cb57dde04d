"""Jobs of small programs on an embedded AWS: a bucket, a role, and short ways to run them."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from rehearsal.process import PROJECT, Rehearsal
from tests.rehearsal.listening import wait_for

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.0-5"
RUN = "exec(bytes.fromhex(''.join(__import__('sys').argv[1:])))"
NAMES = count(1)
ENDED = ("Completed", "Failed", "Stopped")
START = 'mkdir -p /opt/ml/code && tar -xzf {archive} -C /opt/ml/code && exec python3 "$@"'
# What train.py reads of the job's environment.
VARIABLES = {
    "SM_CHANNEL_TRAIN": "/opt/ml/input/data/train",
    "SM_CHANNEL_VALIDATION": "/opt/ml/input/data/validation",
    "SM_CHANNEL_ENCODER": "/opt/ml/input/data/encoder",
    "SM_MODEL_DIR": "/opt/ml/model",
    "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
    "SM_OUTPUT_DIR": "/opt/ml/output",
    "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
    "SM_CHECKPOINT_DIR": "/opt/ml/checkpoints",
}
SERVICES: dict[str, dict[str, Any]] = {
    "data": {
        "Action": ["s3:GetObject", "s3:ListBucket", "s3:PutObject", "s3:AbortMultipartUpload"],
        "Resource": ["arn:aws:s3:::{bucket}", "arn:aws:s3:::{bucket}/*"],
    },
    "logs": {
        "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": "arn:aws:logs:us-east-1:000000000000:log-group:/aws/sagemaker/*",
    },
    "metrics": {
        "Action": "cloudwatch:PutMetricData",
        "Resource": "*",
        "Condition": {"StringLike": {"cloudwatch:namespace": "/aws/sagemaker/*"}},
    },
    "token": {"Action": "ecr:GetAuthorizationToken", "Resource": "*"},
    "image": {
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
        "Resource": "arn:aws:ecr:us-east-1:683313688378:repository/sagemaker-xgboost",
    },
}


def trust(**condition: Any) -> str:
    """A trust policy for SageMaker."""
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}, **condition},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def archive(files: Mapping[str, bytes | str]) -> bytes:
    """A tar.gz that is the same for the same files."""
    out = io.BytesIO()
    with (
        gzip.GzipFile("", "wb", fileobj=out, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as tar,
    ):
        for name in sorted(files):
            content = files[name]
            body = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    return out.getvalue()


def unpacked(content: bytes) -> dict[str, bytes]:
    """The files of a tar.gz."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as tar:
        found = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read() for name, file in found.items() if file is not None}


def churn_archive() -> bytes:
    """The scripts of ml_src, laid out as docs/churn.md says."""
    source = PROJECT / "ml_src"
    files = {
        path.relative_to(PROJECT).as_posix(): path.read_bytes()
        for path in source.rglob("*")
        if path.suffix in (".py", ".json")
    }
    for path in (source / "entry_points").glob("*.py"):
        files[path.name] = path.read_bytes()
    return archive(files)


def channel(name: str, uri: str, **more: Any) -> dict[str, Any]:
    """A training channel of a prefix."""
    source = {"S3DataType": "S3Prefix", "S3Uri": uri, "S3DataDistributionType": "FullyReplicated"}
    return {"ChannelName": name, "DataSource": {"S3DataSource": source}, **more}


def fed(name: str, uri: str, place: str = "", **more: Any) -> dict[str, Any]:
    """A processing input of a prefix."""
    source = {
        "S3Uri": uri,
        "LocalPath": place or f"/opt/ml/processing/input/{name}",
        "S3DataType": "S3Prefix",
        "S3InputMode": "File",
        **more,
    }
    return {"InputName": name, "S3Input": source}


def given(name: str, uri: str, mode: str = "EndOfJob") -> dict[str, Any]:
    """A processing output to a prefix."""
    place = f"/opt/ml/processing/output/{name}"
    target = {"S3Uri": uri, "LocalPath": place, "S3UploadMode": mode}
    return {"OutputName": name, "S3Output": target}


@dataclass(frozen=True)
class Bench:
    """A bucket and a role that may do what jobs need, and no more."""

    aws: Rehearsal
    bucket: str
    role: str

    @classmethod
    def make(cls, aws: Rehearsal, name: str, without: Sequence[str] = ()) -> Bench:
        """Make bucket and role; `without` leaves out statements of SERVICES."""
        bucket = f"bench-{name}"
        aws.client("s3").create_bucket(Bucket=bucket)
        return cls(aws, bucket, make_role(aws, f"bench-{name}", bucket, without))

    @property
    def sagemaker(self) -> Any:
        """A client of the root user."""
        return self.aws.client("sagemaker")

    @property
    def s3(self) -> Any:
        """A client of the root user."""
        return self.aws.client("s3")

    def uri(self, key: str) -> str:
        """Of a key in the bucket."""
        return f"s3://{self.bucket}/{key}"

    def put(self, key: str, body: bytes | str) -> str:
        """Write an object and return its URI."""
        content = body.encode() if isinstance(body, str) else body
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return self.uri(key)

    def get(self, key: str) -> bytes:
        """Read an object."""
        return self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def keys(self, prefix: str) -> list[str]:
        """The keys below a prefix."""
        found = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)
        return [each["Key"] for each in found.get("Contents", [])]

    def processing(self, code: str, **more: Any) -> str:
        """Start a processing job of Python code and return its name."""
        name = more.pop("ProcessingJobName", f"processing-{next(NAMES)}")
        cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        request = {
            "ProcessingJobName": name,
            "RoleArn": self.role,
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "-S", "-c", RUN],
                "ContainerArguments": parts(code),
            },
            "ProcessingResources": {"ClusterConfig": cluster},
            **more,
        }
        self.sagemaker.create_processing_job(**request)
        return name

    def training(self, code: str | None, **more: Any) -> str:
        """Start a training job of Python code (None: the image's own way); return its name."""
        name = more.pop("TrainingJobName", f"training-{next(NAMES)}")
        specification: dict[str, Any] = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
        if code is not None:
            specification["ContainerEntrypoint"] = ["python3", "-S", "-c", RUN]
            specification["ContainerArguments"] = parts(code)
        specification |= more.pop("AlgorithmSpecification", {})
        resources = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
        request = {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": specification,
            "OutputDataConfig": {"S3OutputPath": self.uri("models")},
            "ResourceConfig": resources,
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
            **more,
        }
        self.sagemaker.create_training_job(**request)
        return name

    def processed(self, name: str) -> dict[str, Any]:
        """What a processing job has come to."""
        return self._ended(
            lambda: self.sagemaker.describe_processing_job(ProcessingJobName=name),
            "ProcessingJobStatus",
        )

    def trained(self, name: str) -> dict[str, Any]:
        """What a training job has come to."""
        return self._ended(
            lambda: self.sagemaker.describe_training_job(TrainingJobName=name), "TrainingJobStatus"
        )

    def log(self, kind: str, name: str) -> list[str]:
        """The lines of a job's log; kind is Processing, Training or Transform."""
        logs = self.aws.client("logs")
        group = f"/aws/sagemaker/{kind}Jobs"
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        events = [event for page in pages for event in page["events"]]
        return [e["message"] for e in events if e["logStreamName"].startswith(f"{name}/")]

    def wait_for_line(self, kind: str, name: str, part: str) -> None:
        """Wait until a job has said something."""

        def said() -> bool:
            try:
                return any(part in line for line in self.log(kind, name))
            except self.aws.client("logs").exceptions.ResourceNotFoundException:
                return False

        wait_for(said, what=f"{name} said {part!r}")

    @staticmethod
    def _ended(describe: Any, status: str) -> dict[str, Any]:
        def look() -> dict[str, Any] | None:
            answer = describe()
            return answer if answer[status] in ENDED else None

        found = wait_for(look, what="the end of a job")
        assert found is not None
        return found


def parts(code: str) -> list[str]:
    """Code as arguments that AWS allows: at most 256 characters, and no line breaks."""
    text = code.encode().hex() or "0a"
    return [text[start : start + 250] for start in range(0, len(text), 250)]


def make_role(aws: Rehearsal, name: str, bucket: str, without: Sequence[str] = ()) -> str:
    """A role for jobs on a bucket."""
    iam = aws.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust())["Role"]["Arn"]
    statements = [
        {"Effect": "Allow", **json.loads(json.dumps(each).replace("{bucket}", bucket))}
        for key, each in SERVICES.items()
        if key not in without
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName=name, PolicyName="jobs", PolicyDocument=policy)
    return arn


def processes_below(folder: Path) -> Iterator[int]:
    """Processes whose working folder or command line lies below a folder (Linux)."""
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            line = (entry / "cmdline").read_bytes().decode(errors="replace")
            where = str((entry / "cwd").readlink())
        except OSError:
            continue
        if str(folder) in line or where.startswith(str(folder)):
            yield int(entry.name)

"""What people may do in their roles, by real calls on deployed stacks, and what they may not.

Each statement of the roles is taken away in turn: the call that it is for is then denied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import PROJECT, Rehearsal
from rehearsal.scenarios.support import pipelines
from rehearsal.scenarios.support.context import Context
from tests.rehearsal.hosted import Hosted, synthesize
from tests.rehearsal.hosting import IMAGE
from tests.rehearsal.listening import wait_for
from tests.rehearsal.policies import Policy, without
from tests.rehearsal.school import PATIENCE, customers
from tests.rehearsal.test_notebook import run

SETTINGS = Path(__file__).with_name("lab.yaml")
PICTURE = PROJECT / "rehearsal" / "samples" / "vision" / "market.jpg"
STARTER = PROJECT / "notebooks" / "start.ipynb"
JOB_LOGS = "/aws/sagemaker/ProcessingJobs"
DATA, WORKSPACE = "churn/customers/customers.csv", "workspace/mine.txt"
RUN = "churn/runs/some/file"


@dataclass
class Lab:
    """The deployed environment, as somebody in a role sees it.

    Attributes:
        hosted: The deployed stacks.
        role: Which role: ``DataScientist`` or ``Auditor``.
    """

    hosted: Hosted
    role: str

    def __getitem__(self, name: str) -> str:
        return self.hosted.outputs[name]

    @property
    def arn(self) -> str:
        """The role's."""
        return self[f"{self.role}RoleArn"]

    def client(self, service: str) -> Any:
        """A client that acts as the role."""
        return self.hosted.aws.session(self.arn).client(service)

    def environment(self) -> dict[str, str]:
        """Variables for a program that acts as the role."""
        found = self.hosted.aws.session(self.arn).get_credentials().get_frozen_credentials()
        return self.hosted.aws.environment() | {
            "AWS_ACCESS_KEY_ID": found.access_key,
            "AWS_SECRET_ACCESS_KEY": found.secret_key,
            "AWS_SESSION_TOKEN": found.token,
        }

    def own_job(self, **changes: Any) -> str:
        """Start a processing job by hand, as its conditions ask; its name."""
        name = changes.pop("name", f"{self['DataScientistJobPrefix']}{uuid4().hex[:8]}")
        key = self["KeyArn"]
        cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 10}
        output = {
            "S3Uri": f"s3://{self['DataBucketName']}/workspace/{name}",
            "LocalPath": "/opt/ml/processing/out",
            "S3UploadMode": "EndOfJob",
        }
        request: dict[str, Any] = {
            "ProcessingJobName": name,
            "RoleArn": self["DataScientistJobRoleArn"],
            "AppSpecification": {
                "ImageUri": IMAGE,
                "ContainerEntrypoint": ["python3", "-c", SCRIPT],
            },
            "ProcessingResources": {"ClusterConfig": {**cluster, "VolumeKmsKeyId": key}},
            "ProcessingOutputConfig": {
                "Outputs": [{"OutputName": "out", "S3Output": output}],
                "KmsKeyId": key,
            },
            "NetworkConfig": {"EnableNetworkIsolation": True},
            "StoppingCondition": {"MaxRuntimeInSeconds": 600},
        }
        for path, value in changes.items():
            *sections, last = path.split("__")
            place = request
            for section in sections:
                place = place[section]
            if value is None:
                del place[last]
            else:
                place[last] = value
        self.client("sagemaker").create_processing_job(**request)
        return name


SCRIPT = "open('/opt/ml/processing/out/said.txt', 'w').write('hello'); print('hello')"


@pytest.fixture(scope="module")
def hosted(
    run_folders_of_our_own: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hosted]:
    folder = tmp_path_factory.mktemp("lab")
    with Rehearsal.start() as aws:
        aws.scale_waits(0.1)
        found = Hosted.deploy(aws, synthesize(folder, settings=SETTINGS))
        s3, key = aws.client("s3"), {"ServerSideEncryption": "aws:kms"}
        s3.put_object(
            Bucket=found.outputs["DataBucketName"], Key=DATA, Body=customers(folder), **key
        )
        s3.put_object(Bucket=found.outputs["ModelsBucketName"], Key=RUN, Body=b"figures")
        s3.put_object(Bucket=found.outputs["ImagesBucketName"], Key="other/a.jpg", Body=b"private")
        s3.put_object(Bucket=found.outputs["LogBucketName"], Key="some/log", Body=b"lines")
        s3.create_bucket(Bucket="sagelens-of-another-environment")
        s3.put_object(Bucket="sagelens-of-another-environment", Key=DATA, Body=b"theirs")
        yield found


@pytest.fixture(scope="module")
def scientist(hosted: Hosted) -> Lab:
    return Lab(hosted, "DataScientist")


@pytest.fixture(scope="module")
def auditor(hosted: Hosted) -> Lab:
    return Lab(hosted, "Auditor")


@pytest.fixture(scope="module")
def execution(scientist: Lab) -> str:
    """A run that the data scientist started."""
    started = scientist.client("sagemaker").start_pipeline_execution(
        PipelineName=scientist["ChurnPipelineName"], ClientRequestToken=uuid4().hex
    )
    return started["PipelineExecutionArn"]


@pytest.fixture(scope="module")
def live(scientist: Lab, execution: str) -> str:
    """The run's version, approved by the data scientist and live."""
    hosted = scientist.hosted
    ended = pipelines.ended(
        Context(hosted.aws, hosted.outputs, lambda _: None), execution, PATIENCE
    )
    assert ended.status == "Succeeded", ended.words()
    client = scientist.client("sagemaker")
    versions = client.list_model_packages(ModelPackageGroupName=hosted.group)
    (version,) = [one["ModelPackageArn"] for one in versions["ModelPackageSummaryList"]]
    client.update_model_package(ModelPackageArn=version, ModelApprovalStatus="Approved")
    hosted.heard("Release Succeeded", version)
    return version


def code_of(error: ClientError) -> str:
    return error.response["Error"]["Code"]


def is_denied(call: Callable[[], Any]) -> bool:
    """Whether a call is denied; it must not fail for another reason."""
    try:
        call()
    except ClientError as error:
        if "AccessDenied" in code_of(error) or code_of(error) == "403":
            return True
        raise
    return False


def test_the_starter_notebook_runs_as_the_data_scientist(
    scientist: Lab, live: str, tmp_path: Path
) -> None:
    variables = scientist.environment() | {
        "ENVIRONMENT": "lab",
        "POLL_SECONDS": "1",
        "PICTURE": str(PICTURE),
    }
    names = ("status", "prediction", "labels", "summary", "runs")
    facts = run(STARTER, variables, tmp_path, *names)
    assert facts["status"] == "Succeeded"
    assert 0 < facts["prediction"]["churn_probability"] < 1
    assert facts["labels"]
    (auc,) = [name for name in facts["runs"] if name.endswith("metrics.auc")]
    assert all(value > 0.6 for value in facts["runs"][auc].values())
    workspace = scientist.client("s3").get_object(
        Bucket=scientist["DataBucketName"], Key="workspace/summary.csv"
    )
    assert b"MonthlyCharges" in workspace["Body"].read()


def test_a_job_of_ones_own_runs_and_is_followed(scientist: Lab) -> None:
    name, client = scientist.own_job(), scientist.client("sagemaker")

    def ended() -> str | None:
        status = client.describe_processing_job(ProcessingJobName=name)["ProcessingJobStatus"]
        return None if status == "InProgress" else status

    assert wait_for(ended, what="the job's end") == "Completed"
    said = scientist.client("s3").get_object(
        Bucket=scientist["DataBucketName"], Key=f"workspace/{name}/said.txt"
    )
    assert said["Body"].read() == b"hello"
    logs, group = scientist.client("logs"), JOB_LOGS
    (stream,) = logs.describe_log_streams(logGroupName=group, logStreamNamePrefix=name)[
        "logStreams"
    ]
    lines = logs.get_log_events(logGroupName=group, logStreamName=stream["logStreamName"])["events"]
    assert [line["message"] for line in lines] == ["hello"]


@pytest.mark.parametrize(
    "changes",
    [
        {"ProcessingResources__ClusterConfig__InstanceType": "ml.m5.24xlarge"},
        {"ProcessingResources__ClusterConfig__VolumeKmsKeyId": None},
        {"ProcessingOutputConfig__KmsKeyId": None},
        {"NetworkConfig__EnableNetworkIsolation": False},
        {"NetworkConfig": None},
        {"StoppingCondition__MaxRuntimeInSeconds": 4 * 3600 + 1},
        {"StoppingCondition": None},
        {"name": "another-name"},
    ],
    ids=str,
)
def test_a_job_must_be_as_its_conditions_ask(changes: dict[str, Any], scientist: Lab) -> None:
    assert is_denied(lambda: scientist.own_job(**changes))


def test_only_the_jobs_own_role_is_passed(scientist: Lab) -> None:
    assert is_denied(lambda: scientist.own_job(RoleArn=scientist["ChurnJobRoleArn"]))


Call = Callable[[Lab, str], Any]


def s3(bucket: str, operation: str, key: str, **more: Any) -> Call:
    def call(lab: Lab, live: str) -> Any:
        place = {"Bucket": lab[bucket] if bucket.endswith("Name") else bucket}
        given = {"Prefix": key} if operation == "list_objects_v2" else {"Key": key}
        return getattr(lab.client("s3"), operation)(**place, **given, **more)

    return call


def api(service: str, operation: str, **given: Any) -> Call:
    """A call; texts in braces are outputs, ``{live}`` is the live version."""

    def filled(value: Any, lab: Lab, live: str) -> Any:
        if isinstance(value, dict):
            return {key: filled(item, lab, live) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item, lab, live) for item in value]
        if isinstance(value, str):
            return value.format_map({**lab.hosted.outputs, "live": live})
        return value

    return lambda lab, live: getattr(lab.client(service), operation)(**filled(given, lab, live))


def owned(lab: Lab, live: str) -> Any:
    return lab.own_job()


def own_stream(lab: Lab) -> str:
    """A log stream such as a job of one's own has."""
    logs, name = lab.hosted.aws.client("logs"), f"{lab['DataScientistJobPrefix']}{uuid4().hex[:8]}"
    logs.create_log_stream(logGroupName=JOB_LOGS, logStreamName=name)
    return name


PIPELINE = {"PipelineName": "{ChurnPipelineName}"}
ENDPOINT = {"EndpointName": "{ChurnEndpointName}"}
IMAGE_BYTES = {"Image": {"Bytes": PICTURE.read_bytes()}}
STACK = {"StackName": "sagelens-lab-foundation"}

# By statement: a call that it lets through.
SCIENTIST: dict[str, Call] = {
    "ReadModels": s3("DataBucketName", "get_object", DATA),
    "FindModels": s3("DataBucketName", "list_objects_v2", "churn/customers/"),
    "FindModels1": s3("ModelsBucketName", "list_objects_v2", "churn/runs/"),
    "ReadWorkspace": s3("DataBucketName", "get_object", WORKSPACE),
    "FindWorkspace": s3("DataBucketName", "list_objects_v2", "workspace/"),
    "WriteWorkspace": s3("DataBucketName", "put_object", WORKSPACE, Body=b"mine"),
    "ListWork": api("sagemaker", "list_pipelines"),
    "StartPipelines": api("sagemaker", "describe_pipeline", **PIPELINE),
    "FollowPipelines": lambda lab, live: [
        lab.client("sagemaker").list_pipeline_execution_steps(PipelineExecutionArn=each["Arn"])
        for each in [
            {"Arn": one["PipelineExecutionArn"]}
            for one in lab.hosted.aws.client("sagemaker").list_pipeline_executions(
                PipelineName=lab["ChurnPipelineName"]
            )["PipelineExecutionSummaries"]
        ]
    ],
    "LookAtVersions": api("sagemaker", "describe_model_package", ModelPackageName="{live}"),
    "Approve": api(
        "sagemaker",
        "update_model_package",
        ModelPackageArn="{live}",
        ApprovalDescription="looked at",
    ),
    "AskEndpoints": api("sagemaker", "describe_endpoint", **ENDPOINT),
    "Analyse": api("rekognition", "detect_labels", **IMAGE_BYTES),
    "ReadOutputs": api("cloudformation", "describe_stacks", **STACK),
    "StartOwnJobs": owned,
    "FollowOwnJobs": lambda lab, live: lab.client("sagemaker").describe_processing_job(
        ProcessingJobName=Lab(lab.hosted, "DataScientist").own_job()
    ),
    "ReadOwnLogs": lambda lab, live: lab.client("logs").get_log_events(
        logGroupName=JOB_LOGS, logStreamName=own_stream(lab)
    ),
    "FindOwnLogs": api("logs", "describe_log_streams", logGroupName=JOB_LOGS),
    "PassOwnJobRole": owned,
    "UseMlflowApp": api("sagemaker", "describe_mlflow_app", Arn="{MlflowAppArn}"),
}
AUDITOR: dict[str, Call] = {
    "ReadStacks": api("cloudformation", "get_template", **STACK),
    "ReadRoles": lambda lab, live: lab.client("iam").list_role_policies(
        RoleName=lab["ReviewerRoleArn"].rpartition("/")[2]
    ),
    "ReadBucketSettings": api("s3", "get_bucket_policy", Bucket="{ImagesBucketName}"),
    "FindAccessLogs": s3("LogBucketName", "list_objects_v2", ""),
    "ReadAccessLogs": s3("LogBucketName", "get_object", "some/log"),
    "ListVersions": api(
        "sagemaker", "list_model_packages", ModelPackageGroupName="{ChurnModelGroupName}"
    ),
    "ReadVersions": api("sagemaker", "describe_model_package", ModelPackageName="{live}"),
    "ReadCards": api("sagemaker", "describe_model_card", ModelCardName="sagelens-lab-churn"),
    "ReadPipelines": api("sagemaker", "describe_pipeline", **PIPELINE),
    "ReadEndpoints": api("sagemaker", "describe_endpoint", **ENDPOINT),
    "ReadKeySettings": api("kms", "get_key_policy", KeyId="{KeyArn}", PolicyName="default"),
}
STATEMENTS = [
    pytest.param(role, sid, call, id=f"{role}-{sid}")
    for role, calls in (("DataScientist", SCIENTIST), ("Auditor", AUDITOR))
    for sid, call in calls.items()
]


@pytest.mark.parametrize(("role", "sid", "call"), STATEMENTS)
def test_each_statement_is_needed(
    role: str, sid: str, call: Call, hosted: Hosted, live: str
) -> None:
    lab = Lab(hosted, role)
    if "Workspace" in sid:
        SCIENTIST["WriteWorkspace"](lab, live)
    assert not is_denied(lambda: call(lab, live))
    with without(hosted.aws, lab.arn, sid):
        assert is_denied(lambda: call(lab, live))


OTHER = "sagelens-of-another-environment"
REFUSED: Mapping[str, dict[str, Call]] = {
    "DataScientist": {
        "images": s3("ImagesBucketName", "get_object", "other/a.jpg"),
        "another environment": s3(OTHER, "get_object", DATA),
        "another environment's names": s3(OTHER, "list_objects_v2", ""),
        "raw data are read only": s3("DataBucketName", "put_object", DATA, Body=b"mine"),
        "raw data stay": s3("DataBucketName", "delete_object", DATA),
        "runs are read only": s3("ModelsBucketName", "put_object", RUN, Body=b"better figures"),
        "access logs": s3("LogBucketName", "get_object", "some/log"),
        "results of images": api("dynamodb", "scan", TableName="{ResultsTableName}", Limit=1),
        "faces, which are off": api("rekognition", "detect_faces", **IMAGE_BYTES),
        "pipelines as they are": api(
            "sagemaker", "update_pipeline", **PIPELINE, PipelineDisplayName="mine"
        ),
        "endpoints as they are": api("sagemaker", "delete_endpoint", **ENDPOINT),
        "versions stay": api("sagemaker", "delete_model_package", ModelPackageName="{live}"),
        "rights as they are": api("iam", "list_roles"),
        "secrets of a release": api("ssm", "get_parameter", Name="{ChurnLiveVersionParameter}"),
    },
    "Auditor": {
        "raw data": s3("DataBucketName", "get_object", DATA),
        "runs": s3("ModelsBucketName", "get_object", RUN),
        "images": s3("ImagesBucketName", "get_object", "other/a.jpg"),
        "results of images": api("dynamodb", "scan", TableName="{ResultsTableName}", Limit=1),
        "answers": api("sagemaker-runtime", "invoke_endpoint", **ENDPOINT, Body=b"1,2"),
        "starts": api("sagemaker", "start_pipeline_execution", **PIPELINE),
        "approvals": api(
            "sagemaker",
            "update_model_package",
            ModelPackageArn="{live}",
            ModelApprovalStatus="Rejected",
        ),
        "the key": api("kms", "generate_data_key", KeyId="{KeyArn}", KeySpec="AES_256"),
        "settings as they are": api(
            "s3",
            "put_bucket_versioning",
            Bucket="{ImagesBucketName}",
            VersioningConfiguration={"Status": "Suspended"},
        ),
        "another environment's settings": api("s3", "get_bucket_versioning", Bucket=OTHER),
    },
}


@pytest.mark.parametrize(
    ("role", "call"),
    [
        pytest.param(role, call, id=f"{role}: {what}")
        for role, calls in REFUSED.items()
        for what, call in calls.items()
    ],
)
def test_it_may_not(role: str, call: Call, hosted: Hosted, live: str) -> None:
    assert is_denied(lambda: call(Lab(hosted, role), live))


def test_without_the_key_no_file_opens(scientist: Lab, live: str) -> None:
    aws, read = scientist.hosted.aws, SCIENTIST["ReadModels"]
    # Both hand out the key: artifacts of experiments are encrypted with it too.
    with without(aws, scientist.arn, "UseKey"), without(aws, scientist.arn, "MlflowArtifactsKey"):
        assert is_denied(lambda: read(scientist, live))
    assert not is_denied(lambda: read(scientist, live))


def test_every_statement_is_tried_or_said_not_to_be(hosted: Hosted) -> None:
    untried = {
        "DataScientist": {
            "UseKey",  # see above
            "MlflowArtifactsKey",
            "EncryptVolumes",  # the embedded AWS has no grants
            # MLflow's own: test_mlflow.py takes them from a role that has them by the same grant.
            "UseMlflow",
            "OpenMlflowPages",
            "MlflowArtifacts",
            "ListMlflowArtifacts",
        },
        "Auditor": {"ReadAlarms"},  # the embedded AWS asks for alarms of all names
    }
    for role, tried in (("DataScientist", SCIENTIST), ("Auditor", AUDITOR)):
        name = hosted.outputs[f"{role}RoleArn"].rpartition("/")[2]
        policies = hosted.aws.client("iam").list_role_policies(RoleName=name)["PolicyNames"]
        found = {sid for each in policies for sid in Policy(hosted.aws, name, each).statements}
        assert found == {*tried, *untried[role]}

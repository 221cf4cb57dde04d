"""What a job needs before its program starts and after it has ended: image, S3, log."""

from collections.abc import Callable
from typing import Any

from rehearsal.aws_json import NOT_REHEARSED, ServiceError
from rehearsal.sagemaker.container import check_folder
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.images import Image
from rehearsal.sagemaker.jobs import JobFailed
from rehearsal.sagemaker.transfers import DownloadError, UploadError

REASON = 1024  # the most characters of a FailureReason
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


def refuse(text: str) -> ServiceError:
    """What the rehearsal cannot do, in an error that no AWS client knows."""
    return ServiceError(NOT_REHEARSED, text)


def name_taken(arn: str) -> ServiceError:
    """AWS's answer about a job's name that is taken, in the words of most kinds of job."""
    return ServiceError(
        "ResourceInUse",
        "Job name must be unique within an AWS account and region, and a job with this name "
        f"already exists ({arn})",
    )


def check_can_run(context: Context, image: Image) -> None:
    """Refuse at the job's creation what cannot run here: a foreign image, an unusable folder."""
    refusal = image.refusal()
    if refusal:
        raise refuse(refusal)
    try:
        check_folder(context.run_folder)
    except ValueError as error:
        raise refuse(str(error)) from error


def check_pull(context: Context, role_arn: str, image: Image) -> None:
    """Fail the job whose role may not pull its image.

    ("SageMaker Roles", CreateTrainingJob API: Execution Role Permissions.)
    """
    wanted = [("ecr:GetAuthorizationToken", "*"), *((action, image.arn) for action in PULL)]
    lacking = [f"{a} on {arn}" for a, arn in wanted if not context.role_may(role_arn, a, arn)]
    if lacking:
        raise JobFailed(
            "ClientError: Cannot pull algorithm container. Either the image does not exist or its "
            f"permissions are incorrect. ({role_arn} lacks {', '.join(lacking)})"
        )


def check_key(context: Context, role_arn: str, key: str | None, what: str) -> None:
    """Fail the job whose role may not encrypt with the key that its request names."""
    if key is None:
        return
    kms = context.client("kms")
    try:
        arn = kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"]
    except kms.exceptions.NotFoundException as error:
        raise JobFailed(f"ClientError: Invalid {what}: {error}") from error
    if not context.role_may(role_arn, "kms:GenerateDataKey", arn):
        raise JobFailed(
            f"ClientError: {what} {arn}: {role_arn} is not authorized to perform: "
            "kms:GenerateDataKey"
        )


def fetching(do: Callable[[], Any]) -> Any:
    """Do something that downloads; what S3 refuses is the job's reason, as SageMaker words it."""
    try:
        return do()
    except DownloadError as error:
        raise JobFailed(f"ClientError: Data download failed:{error}") from error


def sending(do: Callable[[], Any]) -> Any:
    """Do something that uploads; what S3 refuses is the job's reason."""
    try:
        return do()
    except UploadError as error:
        raise JobFailed(f"ClientError: Artifact upload failed:{error}") from error


def cut(reason: str) -> str:
    """A reason in the length that AWS keeps."""
    return reason[:REASON]

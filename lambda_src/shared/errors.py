"""What may go wrong with one image, and what follows from it."""

import re
import traceback
from collections.abc import Mapping
from typing import Any, Literal, cast

from botocore.exceptions import (  # pyright: ignore[reportMissingTypeStubs]
    BotoCoreError,
    ClientError,
    ParamValidationError,
)

from shared.s3_events import Malformed

Kind = Literal["unusable", "gone", "denied", "ambiguous", "transient", "waiting", "permanent"]
"""unusable: the service will never read this image. gone: the version is no more. denied: we
are not allowed to, or what we need is not set up. ambiguous: the service could not fetch the
object and does not say why. transient: worth another try. waiting: worth another try once
something runs that takes minutes to start. permanent: none of these; a fault of the code or of
the data, so it goes to the dead-letter queue after its retries."""


class ImageError(Exception):
    """Base of the errors of this function. Their texts hold no keys and no findings."""


class Unusable(ImageError):
    """The image can never be analysed; this is recorded, not retried.

    code: one of the codes of the record's contract. message: why, for people.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Denied(ImageError):
    """A permission is missing, or something that the function needs is not set up."""


class Transient(ImageError):
    """Another try may well succeed."""


class OutOfTime(Transient):
    """The rest of the invocation is too short for what comes next.

    seconds: how long from now until it could be done.
    """

    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = seconds


class Busy(Transient):
    """Another attempt holds the lease of this version for up to `seconds` more."""

    def __init__(self, seconds: float) -> None:
        super().__init__("another attempt is at work on this version")
        self.seconds = max(0.0, seconds)


class Refused(ImageError):
    """The service takes no call with these arguments, though it can read the image.

    operation: what was called, with arguments that come from the configuration.
    """

    def __init__(self, operation: str) -> None:
        super().__init__(f"{operation} refuses its arguments, and other calls read the image")


class ModelNotRunning(ImageError):
    """A Custom Labels model does not run, so what it should look at waits.

    model: its name, or the ARN of its project version. parks: whether the work is kept in the
    models' table until it runs, and the message is done with.
    """

    def __init__(self, model: str, *, parks: bool = False) -> None:
        # …:project/<project>/version/<version>/<time>
        name = "/".join(model.split("/")[1:4:2]) or model
        super().__init__(f"model_not_running: the Custom Labels model {name} is not running")
        self.model = model
        self.parks = parks


class RecordTooLarge(ImageError):
    """A record would come too near to DynamoDB's limit of 400 KB an item."""


# "Error handling" in the Amazon Rekognition developer guide.
_UNUSABLE = frozenset(
    ("InvalidImageFormatException", "ImageTooLargeException", "InvalidParameterException")
)
_AMBIGUOUS = "InvalidS3ObjectException"
_WAITING = "ResourceNotReadyException"
# "MethodNotAllowed": the version id is that of a delete marker ("GetObject", S3 API reference).
# HEAD answers have no body, so botocore gives the bare status as the code.
_GONE = frozenset(("NoSuchKey", "NoSuchVersion", "MethodNotAllowed", "404", "405"))
_DENIED = frozenset(
    (
        "AccessDenied",
        "AccessDeniedException",
        "AccessDeniedByKmsException",
        "AllAccessDisabled",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "KMS.DisabledException",
        "KMS.InvalidStateException",
        "KMS.NotFoundException",
        "KMSAccessDeniedException",
        "NoSuchBucket",
        "NotAuthorized",
        "OptInRequired",
        "ResourceNotFoundException",
        "SignatureDoesNotMatch",
        "SubscriptionRequiredException",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    )
)
_TRANSIENT = frozenset(
    (
        "ExpiredToken",
        "ExpiredTokenException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeTooSkewed",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
    )
)


# "User … is not authorized to perform: s3:GetObject on resource: <ARN> because <reason>", where
# resource and reason may be absent; the resource may name an object, so it is passed over.
_DENIAL = re.compile(
    r"(?P<who>.+? is not authorized to perform: [\w:-]+)"
    r"(?:.* because (?P<why>(?:no|an explicit deny) [^/]*))?",
    re.DOTALL,
)


def kind_of(error: Exception) -> Kind:
    """Return what follows from `error`, ours or botocore's."""
    match error:
        case Unusable():
            return "unusable"
        case Denied():
            return "denied"
        case Transient():
            return "transient"
        case ModelNotRunning():
            return "waiting"
        case ClientError():
            return _kind_of_answer(code_of(error), status_of(error))
        case ParamValidationError():
            return "permanent"
        case BotoCoreError() | OSError():
            # Time-outs, broken connections, no credentials yet: none is the image's fault.
            return "transient"
        case _:
            return "permanent"


def code_of(error: Exception) -> str:
    """Return the service's error code, or the class name for errors that no service sent."""
    return str(_part(error, "Error").get("Code") or type(error).__name__)


def status_of(error: Exception) -> int:
    """Return the answer's HTTP status, 0 for errors that no service sent."""
    return int(_part(error, "ResponseMetadata").get("HTTPStatusCode") or 0)


def text_of(error: Exception, keep_names: bool) -> str:
    """Return what a log line may say of `error`.

    keep_names: also what could name an object: resource ARNs, values of unexpected errors.
    """
    if keep_names or isinstance(error, (ImageError, Malformed)):
        return str(error)
    if not isinstance(error, ClientError):
        return type(error).__name__
    operation = str(getattr(error, "operation_name", ""))
    message = str(_part(error, "Error").get("Message") or "")
    denial = _DENIAL.match(message)
    told = [part for part in (denial["who"], denial["why"]) if part] if denial else []
    return ": ".join([operation, code_of(error), *told])


def places_of(error: Exception) -> list[str]:
    """Return the last places of the traceback: file, line and function, none of the values."""
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames]


def _kind_of_answer(code: str, status: int) -> Kind:
    if code in _UNUSABLE:
        return "unusable"
    if code == _AMBIGUOUS:
        return "ambiguous"
    if code == _WAITING:
        return "waiting"
    if code in _TRANSIENT or status >= 500 or status == 429:
        return "transient"
    if code in _GONE:
        return "gone"
    if code in _DENIED or status == 403:
        return "denied"
    return "permanent"


def _part(error: Exception, name: str) -> Mapping[str, Any]:
    response = cast("Mapping[str, Any]", getattr(error, "response", None) or {})
    return response.get(name) or {}

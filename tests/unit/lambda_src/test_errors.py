import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from shared import errors
from shared.errors import Busy, Denied, OutOfTime, Transient, Unusable
from tests.unit.lambda_src import world
from tests.unit.lambda_src.world import error


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("InvalidImageFormatException", 400, "unusable"),
        ("ImageTooLargeException", 400, "unusable"),
        ("InvalidParameterException", 400, "unusable"),
        ("InvalidS3ObjectException", 400, "ambiguous"),
        ("ThrottlingException", 400, "transient"),
        ("ProvisionedThroughputExceededException", 400, "transient"),
        ("InternalServerError", 500, "transient"),
        ("SlowDown", 503, "transient"),
        ("Whatever", 502, "transient"),
        ("Whatever", 429, "transient"),
        ("ExpiredToken", 403, "transient"),
        ("RequestTimeTooSkewed", 403, "transient"),
        ("AccessDenied", 403, "denied"),
        ("AccessDeniedException", 400, "denied"),
        ("403", 403, "denied"),
        ("KMS.DisabledException", 400, "denied"),
        ("ResourceNotFoundException", 400, "denied"),
        ("NoSuchBucket", 404, "denied"),
        ("NoSuchKey", 404, "gone"),
        ("NoSuchVersion", 404, "gone"),
        ("404", 404, "gone"),
        ("MethodNotAllowed", 405, "gone"),
        ("405", 405, "gone"),
        ("ResourceNotReadyException", 400, "waiting"),
        ("ValidationException", 400, "permanent"),
    ],
)
def test_kinds_of_answers(code: str, status: int, kind: str):
    assert errors.kind_of(error(code, "X", status)) == kind


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (ConnectTimeoutError(endpoint_url="x"), "transient"),
        (ReadTimeoutError(endpoint_url="x"), "transient"),
        (EndpointConnectionError(endpoint_url="x"), "transient"),
        (NoCredentialsError(), "transient"),
        (TimeoutError(), "transient"),
        (ParamValidationError(report="x"), "permanent"),
        (KeyError("x"), "permanent"),
        (Unusable("empty", "x"), "unusable"),
        (Denied("x"), "denied"),
        (Transient("x"), "transient"),
        (OutOfTime("x"), "transient"),
        (Busy(3), "transient"),
    ],
)
def test_kinds_of_other_errors(raised: Exception, kind: str):
    assert errors.kind_of(raised) == kind


# Documented for these operations but out of reach: no human loop, no Custom Labels adapter.
NOT_OURS = {"HumanLoopQuotaExceededException"}


def test_every_documented_error_of_rekognition_is_judged():
    shapes = world.model("rekognition").operation_model("DetectModerationLabels").error_shapes
    for shape in shapes:
        status = 500 if shape.name == "InternalServerError" else 400
        kind = errors.kind_of(error(shape.name, "DetectModerationLabels", status))
        assert (kind == "permanent") == (shape.name in NOT_OURS), shape.name


def test_texts_hide_what_names_an_object():
    message = (
        "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: s3:GetObjectVersion "
        'on resource: "arn:aws:s3:::images/jane because doe.jpg" '
        "because no identity-based policy allows the s3:GetObjectVersion action"
    )
    raised = error("AccessDenied", "GetObject", 403, message)
    text = errors.text_of(raised, keep_names=False)
    assert "jane" not in text and "doe" not in text
    assert "s3:GetObjectVersion" in text and "no identity-based policy" in text
    assert "jane because doe.jpg" in errors.text_of(raised, keep_names=True)


def test_a_denial_that_names_no_resource_names_its_action():
    message = (
        "User: arn:aws:sts::1:assumed-role/r is not authorized to perform: "
        "rekognition:DetectModerationLabels because no identity-based policy allows it"
    )
    raised = error("AccessDeniedException", "DetectModerationLabels", 400, message)
    text = errors.text_of(raised, keep_names=False)
    assert text.endswith(
        "perform: rekognition:DetectModerationLabels: no identity-based policy allows it"
    )


def test_texts_of_other_errors():
    assert errors.text_of(KeyError("jane.jpg"), keep_names=False) == "KeyError"
    assert errors.text_of(Unusable("empty", "no bytes"), keep_names=False) == "empty: no bytes"
    raised = error("SlowDown", "GetObject", 503)
    assert errors.text_of(raised, keep_names=False) == "GetObject: SlowDown"

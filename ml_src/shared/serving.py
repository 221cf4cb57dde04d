"""What serving has in common: mistakes that a client is told of, and the answer's content type.

What a client gets on a mistake: the image's toolkit (sagemaker-inference, transformer.py) answers
with an exception's own status code when it is a `BaseInferenceToolkitError`, and with 500 for any
other. So `RequestError` is one; InvokeEndpoint gives it as a ModelError with that
OriginalStatusCode.
"""

from __future__ import annotations

from ml_src.shared.request_body import ACCEPTED, JSON

try:
    from sagemaker_inference.errors import BaseInferenceToolkitError  # pyright: ignore
except ImportError:  # outside the image

    class BaseInferenceToolkitError(Exception):
        """The toolkit's error, where the toolkit is not installed."""

        def __init__(self, status_code: int, message: str, phrase: str) -> None:
            """Take the HTTP status code, the answer's body and the status line's phrase."""
            self.status_code, self.message, self.phrase = status_code, message, phrase
            super().__init__(status_code, message, phrase)


class RequestError(BaseInferenceToolkitError):  # pyright: ignore
    """A request that cannot be answered: `status_code` 400, 406 or 415, `message` says why."""

    def __init__(self, message: str, status_code: int = 400) -> None:
        """Take the reason in words."""
        super().__init__(status_code, message, message[:200])


def answered(accept: str | None) -> str:
    """Choose an answer's content type: the first of the wanted ones that can be given.

    Args:
        accept: the wanted content types, by commas; JSON where anything will do.

    Raises:
        RequestError: 406, none of them can be given.
    """
    for wanted in (accept or JSON).split(","):
        kind = wanted.split(";")[0].strip().lower()
        if kind in ACCEPTED:
            return kind
        if kind in ("*/*", "application/*"):
            return JSON
    raise RequestError(f"accept {accept!r} cannot be given; allowed: {', '.join(ACCEPTED)}", 406)

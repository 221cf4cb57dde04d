"""The container images that jobs can name, and what each can do here.

The rehearsal has no containers: a job of an image that it knows runs on this Python, which has the
same XGBoost. Everything else is refused in plain words, never replaced by something similar.
"""

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

ECR = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/"
    r"(?P<repository>[a-z0-9._/-]+?)(?::(?P<tag>[\w.-]+))?(?:@sha256:[0-9a-f]{64})?"
)
XGBOOST = "sagemaker-xgboost"
# First-party algorithms without an open implementation.
CLOSED = {
    "linear-learner": "Linear Learner",
    "kmeans": "K-Means",
    "pca": "PCA",
    "ntm": "Neural Topic Model",
}
# Whose metric definitions are SageMaker's own ("You can't override the metric definitions").
FIRST_PARTY = frozenset({XGBOOST, *CLOSED})
# AWS's own registries of these images, one a Region, are not looked up: any account will do.


@dataclass(frozen=True)
class Image:
    """An image's name, taken apart.

    Attributes:
        uri: as it was given.
        repository: for example sagemaker-xgboost; empty if the URI is not one of Amazon ECR.
        tag: for example 3.0-5.
        arn: of the repository, for the role's permissions; empty as above.
    """

    uri: str
    repository: str
    tag: str
    arn: str

    @classmethod
    def of(cls, uri: str) -> "Image":
        """Take a URI apart."""
        match = ECR.fullmatch(uri)
        if match is None:
            return cls(uri, "", "", "")
        repository = match["repository"]
        arn = f"arn:aws:ecr:{match['region']}:{match['account']}:repository/{repository}"
        return cls(uri, repository, match["tag"] or "latest", arn)

    @property
    def is_xgboost(self) -> bool:
        """Whether it is SageMaker's XGBoost image (algorithm and framework in one)."""
        return self.repository == XGBOOST

    @property
    def is_first_party(self) -> bool:
        """Whether it holds one of SageMaker's own algorithms."""
        return self.repository in FIRST_PARTY

    def refusal(self) -> str | None:
        """Why a job of this image cannot run here, in words; None if it can."""
        here = installed_xgboost()
        if self.repository in CLOSED:
            return (
                f"{CLOSED[self.repository]} ({self.uri}) is closed source: the job's specification "
                "is accepted as far as it was checked, but there is nothing that the rehearsal "
                "could run; run it on AWS"
            )
        if not self.is_xgboost:
            return (
                f"the rehearsal cannot run the image {self.uri!r}; it has no containers and knows "
                f"only {XGBOOST}:{here or '3.0-5'}"
            )
        if here is None:
            return (
                f"the image {self.uri!r} needs xgboost, which is not installed here: "
                "pip install -r requirements-ml.txt"
            )
        if not re.match(rf"{re.escape(here)}(?:\D|$)", self.tag):
            return (
                f"the image {self.uri!r} holds another XGBoost than this Python, which has "
                f"{here.replace('-', '.')}: only {XGBOOST}:{here} can run here"
            )
        return None


def installed_xgboost() -> str | None:
    """The XGBoost that is installed, as the image's tags write it: 3.0-5; None if there is none."""
    for name in ("xgboost-cpu", "xgboost"):
        try:
            major, minor, patch = version(name).split(".")[:3]
        except PackageNotFoundError:
            continue
        return f"{major}.{minor}-{patch}"
    return None

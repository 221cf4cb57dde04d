"""The settings of what is made of results: for programs, and for people."""

from typing import Annotated

from pydantic import AfterValidator, Field

from config.base import Section, whole

Gigabytes = Annotated[float, Field(ge=0.01, le=100_000), AfterValidator(whole)]


class AthenaSettings(Section):
    """Rows of results in S3, queried with SQL in Amazon Athena."""

    most_gb_scanned: Gigabytes = 10
    """Gigabytes that one query may read before Athena cancels it ("Manage query control limits");
    AWS bills what it has read. 10 are about five cents."""
    keep_answers_days: int = Field(default=7, ge=1, le=365)
    """How many days the answers of queries are kept in the data bucket, under athena/."""


class BlurredCopiesSettings(Section):
    """Copies of images with every face blurred, to show to people."""

    longest_side: int = Field(default=2000, ge=100, le=10_000)
    """Pixels that a copy has at most on its longer side."""
    days: int = Field(default=30, ge=1, le=36_500)
    """How many days a copy is kept in the data bucket, under copies/faces-blurred/."""

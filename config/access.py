"""Who works with an environment, with which rights, and what it may cost."""

from typing import Annotated

from pydantic import Field

from config.base import Section, Unique
from config.fields import Principals
from config.jobs import TrainingInstance

Percent = Annotated[float, Field(ge=1, le=1000)]


class AccessSettings(Section):
    """Roles of people, besides the reviewer's. Each can do what its work takes and no more."""

    data_scientists: Principals = ()
    """ARNs of the principals that may assume the data scientist's role. Empty: whoever the
    account's own IAM policies let. Notebooks and Studio run as this role too."""
    auditors: Principals = ()
    """ARNs of the principals that may assume the auditor's role, which reads settings, policies
    and access logs, and no data. Empty: whoever the account's own IAM policies let."""
    instance_types: Annotated[
        tuple[TrainingInstance, ...],
        Field(strict=False, min_length=1, max_length=50),
        Unique("instance type"),
    ] = ("ml.t3.medium", "ml.t3.large", "ml.m5.large", "ml.m5.xlarge", "ml.m5.2xlarge")
    """What a data scientist's own jobs may run on."""
    job_hours: float = Field(default=4, ge=0.25, le=120)
    """How many hours each of them may run at most."""
    may_approve: bool = False
    """true: data scientists may approve and reject model versions, which releases them. false:
    somebody else does."""


class BudgetSettings(Section):
    """What the environment may cost, and who hears of it: the alarm topic. It counts what carries
    the tag sagelens:environment, which a payer account must first activate as a cost allocation
    tag ("Activating user-defined cost allocation tags")."""

    monthly_usd: float = Field(gt=0, le=100_000_000)
    """The budget of a calendar month, in US dollars."""
    alert_percents: Annotated[
        tuple[Percent, ...], Field(strict=False, min_length=1, max_length=4), Unique("percentage")
    ] = (50, 80, 100)
    """At which percentages of it to say what has been spent. That the month will probably end
    above the budget is told besides. A budget has five alerts at most ("Quotas and
    restrictions", AWS Cost Management)."""

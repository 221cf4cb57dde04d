"""The settings of notebook instances: what each runs on, when it stops, what lies on it."""

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from config.base import Broken, Section, Shape, Unique
from config.fields import PARTITION
from config.instances import NOTEBOOK
from config.jobs import LARGEST_VOLUME, InstanceType
from config.training import Schedule

LEAST_VOLUME = 5
LEAST_IDLE, MOST_IDLE = 10, 43_200
LONGEST_SCRIPT = 12_288
"""Bytes that make the 16,384 characters of base64 which SageMaker takes; our own part of a script
is checked at synth."""
WORKBENCH_TYPE = r"ml\.[a-z0-9-]+\.(?:micro|small|medium|x?large|[0-9]+xlarge)"

NotebookName = Annotated[
    str,
    Field(max_length=40),
    Shape(
        r"[a-z0-9]+(?:-[a-z0-9]+)*",
        "at most 40 lower-case letters and digits, words joined by a hyphen",
    ),
]
NotebookType = Annotated[
    str,
    InstanceType(
        WORKBENCH_TYPE,
        'an instance type that SageMaker has for notebook instances, such as "ml.t3.medium" '
        '("CreateNotebookInstance")',
        known=NOTEBOOK,
    ),
]
WorkVolume = Annotated[int, Field(ge=LEAST_VOLUME, le=LARGEST_VOLUME)]
Script = Annotated[str, Field(max_length=LONGEST_SCRIPT)]
TimeZone = Annotated[
    str,
    Field(max_length=50),
    Shape(
        r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+){0,2}",
        'a name of the IANA time zone database, such as "Europe/Berlin" or "UTC"',
    ),
]


def _about_url(value: str) -> str | None:
    if re.match(r"(?:git@|ssh:|git:)", value):
        return "is fetched by SSH, which SageMaker does not do"
    if re.match(r"https://[^/]*@", value):
        return "holds a user name or a password; put them in a secret, and its ARN in secret_arn"
    return None


RepositoryUrl = Annotated[
    str,
    Field(max_length=1024),
    Shape(
        r"https://[A-Za-z0-9.-]+(?::[0-9]+)?/[^\s]{2,}",
        'the HTTPS address of a Git repository, such as "https://github.com/owner/name.git"',
        _about_url,
    ),
]
SecretArn = Annotated[
    str,
    Field(max_length=2048),
    Shape(
        rf"arn:{PARTITION}:secretsmanager:[a-z0-9-]+:[0-9]{{12}}:secret:[A-Za-z0-9/_+=.@-]+",
        "the ARN of a secret of AWS Secrets Manager",
    ),
]


class RepositorySettings(Section):
    """A Git repository."""

    url: RepositoryUrl
    """Its address. In a network without internet access it must be reachable from there."""
    branch: Annotated[str, Shape(r"[^\s~^:?*\[]{1,200}", "the name of a branch")] | None = None
    """What is checked out; null: the repository's own."""
    secret_arn: SecretArn | None = None
    """Secret with username and password as JSON, for a repository that asks for them."""


Repositories = Annotated[
    tuple[RepositorySettings, ...],
    Field(strict=False, max_length=4),
    Unique("repository", lambda repository: repository.url),
]


class HoursSettings(Section):
    """When a notebook instance is started and stopped, whoever works on it."""

    start: Schedule | None = None
    """When to start it, such as "cron(0 8 ? * MON-FRI *)"; null: people do."""
    stop: Schedule | None = None
    """When to stop it, also when somebody works on it; null: it stops when idle."""
    timezone: TimeZone = "UTC"
    """The time zone of both."""

    def rules(self) -> Iterator[Broken]:
        """Yield hours that say nothing, and times that are no times of day."""
        if self.start is None and self.stop is None:
            both = (("start",), ("stop",))
            yield Broken((), None, "neither starts nor stops anything", "start, stop or both", both)
        for name in ("start", "stop"):
            given = getattr(self, name)
            if given is not None and given.startswith("rate("):
                problem = "is a rate, which has no time of day"
                allowed = 'such as "cron(0 8 ? * MON-FRI *)"'
                yield Broken((name,), given, problem, allowed, ((name,),))


class NotebookSettings(Section):
    """A notebook instance: a virtual machine with JupyterLab, for one person or one purpose."""

    instance_type: NotebookType = "ml.t3.medium"
    """What it runs on."""
    volume_gb: WorkVolume = LEAST_VOLUME
    """What people keep on it, in GB. It may grow later, not shrink."""
    idle_minutes: int = Field(default=60, ge=LEAST_IDLE, le=MOST_IDLE)
    """After so many minutes without work it stops itself (docs/workbench.md says what work is)."""
    keep_open_kernels: bool = False
    """true: an open kernel counts as work even if it does nothing, so that what is in its memory
    is kept; the instance bills until its kernels are shut down."""
    hours: HoursSettings | None = None
    """Set times; null: people start it, and it stops when idle."""
    repositories: Repositories = ()
    """Git repositories to clone, at most four; it opens in the first."""
    on_create: Script = ""
    """A bash script that runs once as root, when the instance is made, for five minutes at most."""
    on_start: Script = ""
    """A bash script that runs as root at each start, for five minutes at most."""

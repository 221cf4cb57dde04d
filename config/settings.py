"""The settings of one environment: what one YAML file in config/environments/ may say."""

import re
from collections.abc import Iterator

from pydantic import Field

from config.access import AccessSettings, BudgetSettings
from config.account import AccountFeatures
from config.base import Broken, Loc, Section, meant
from config.fields import (
    Account,
    Cidr,
    Emails,
    EnvironmentName,
    LogRetentionDays,
    PolicyArn,
    Principals,
    Region,
    RolePath,
    Tags,
)
from config.hosting import EndpointSettings, HostingSettings
from config.regions import MODEL_REGISTRY, REKOGNITION
from config.retail import RetailSettings, retail_rules
from config.training import TrainingSettings
from config.vision import VisionSettings
from config.workbench import WorkbenchSettings

# "Partitions" in the AWS Fault Isolation Boundaries white paper; longest prefix first.
_PARTITIONS = {
    "us-gov-": "aws-us-gov",
    "us-isob-": "aws-iso-b",
    "us-isof-": "aws-iso-f",
    "us-iso-": "aws-iso",
    "eu-isoe-": "aws-iso-e",
    "eusc-": "aws-eusc",
    "cn-": "aws-cn",
}


class SecuritySettings(Section):
    """Who may do what."""

    permissions_boundary: PolicyArn | None = None
    """ARN of a managed policy that bounds every role, or null ("Permissions boundaries for IAM
    entities")."""
    role_path: RolePath = "/sagelens/"
    """Path of every role. Begins and ends with "/", at most 512 characters ("IAM and AWS STS
    quotas"); a role's own name is not part of it. Lambda and SageMaker accept fewer characters
    in it than IAM does, so these are the ones."""
    reviewers: Principals = ()
    """ARNs of the principals that may assume the reviewer role, which alone can read quarantined
    images. Empty: whoever the account's own IAM policies let."""


class NetworkSettings(Section):
    """The VPC that functions and jobs run in."""

    cidr: Cidr = "10.20.0.0/16"
    """Its addresses: a private network (RFC 1918) from /16 to /24 ("VPC CIDR blocks")."""
    availability_zones: int = Field(default=2, ge=2, le=3)
    """How many Availability Zones it spans."""


class EnvironmentSettings(Section):
    """One environment. Only `name` is required."""

    name: EnvironmentName
    """The environment's name. Its stacks are called sagelens-<name>-foundation,
    sagelens-<name>-custom-labels, sagelens-<name>-vision, sagelens-<name>-video,
    sagelens-<name>-results, sagelens-<name>-training, sagelens-<name>-releases,
    sagelens-<name>-hosting-<model>, sagelens-<name>-drift, sagelens-<name>-batch,
    sagelens-<name>-workbench and sagelens-<name>-retail. A file in
    config/environments/ is called after it."""
    region: Region | None = None
    """Region to deploy to; null: the one that the AWS CLI is set to."""
    account: Account | None = None
    """Account to deploy to, 12 digits in quotes; null: the one that the AWS CLI is set to."""
    protect_data: bool = False
    """true: buckets, tables and keys survive the deletion of their stack and are protected from
    deletion. false: they are deleted with their contents."""
    log_retention_days: LogRetentionDays = 30
    """How many days logs are kept: one of the values that CloudWatch Logs allows
    ("PutRetentionPolicy", retentionInDays)."""
    alarm_emails: Emails = ()
    """Addresses that alarms go to. Amazon SNS asks each one to confirm its subscription."""
    tags: Tags = Field(default={})
    """Cost-allocation tags for every resource. AWS allows 50 on a resource; at most 40 here, so
    that the platform's own fit ("Tag naming limits and requirements")."""
    security: SecuritySettings = SecuritySettings()
    """Roles and reviewers."""
    network: NetworkSettings | None = None
    """The VPC; null: none, functions run outside of any VPC."""
    vision: VisionSettings | None = VisionSettings()
    """How images are analysed and judged; null: not at all, for a Region without Amazon
    Rekognition."""
    training: TrainingSettings | None = None
    """Which models are trained, on what, and when; null: none, there is no training stack."""
    hosting: HostingSettings | None = None
    """Which models answer requests, and how versions go live; null: none do."""
    workbench: WorkbenchSettings | None = None
    """Where people work: notebook instances; null: nowhere."""
    access: AccessSettings | None = None
    """The roles of people who work with the environment; null: none but the reviewer's."""
    budget: BudgetSettings | None = None
    """What the environment may cost a month; null: no budget watches it."""
    retail: RetailSettings | None = None
    """From pictures of shelves to what to order; null: not at all. It needs a counting model and a
    forecasting endpoint (docs/retail.md)."""
    account_features: AccountFeatures = AccountFeatures()
    """What the account may still use of services that are closed to new customers."""

    def rules(self) -> Iterator[Broken]:
        """Yield ARNs of a partition, account or Region that this environment cannot be in, and a
        Region without a service that it needs."""
        boundary = self.security.permissions_boundary
        arns: dict[Loc, str] = {}
        if boundary is not None:
            arns["security", "permissions_boundary"] = boundary
            yield from self._of_other_account(boundary)
        arns.update(self._principals())
        arns.update(self._secrets())
        for at, model in self._models():
            arns[at] = model
            yield from self._of_other_place(at, model)
        if self.region is not None:
            for at, arn in arns.items():
                yield from self._of_other_partition(self.region, at, arn)
            yield from self._without_rekognition(self.region)
            yield from self._without_model_registry(self.region)
        yield from self._untrained()
        yield from self._without_network()
        yield from self._labels_that_train()
        yield from self._batches_among_others()
        yield from self._monitored()
        if self.retail is not None:
            hosted = tuple(self.hosting.models) if self.hosting else ()
            yield from retail_rules(self.retail, self.vision, hosted)

    def _secrets(self) -> Iterator[tuple[Loc, str]]:
        for name, notebook in self.workbench.notebooks.items() if self.workbench else ():
            for index, repository in enumerate(notebook.repositories):
                at = ("workbench", "notebooks", name, "repositories", index, "secret_arn")
                if repository.secret_arn is not None:
                    yield at, repository.secret_arn

    def _principals(self) -> Iterator[tuple[Loc, str]]:
        """Yield who may assume the roles of people."""
        lists: dict[Loc, tuple[str, ...]] = {("security", "reviewers"): self.security.reviewers}
        if self.access is not None:
            lists["access", "data_scientists"] = self.access.data_scientists
            lists["access", "auditors"] = self.access.auditors
        for at, principals in lists.items():
            for index, principal in enumerate(principals):
                yield (*at, index), principal

    def _models(self) -> Iterator[tuple[Loc, str]]:
        custom = self.vision.analyses.custom_labels if self.vision else None
        for index, model in enumerate(custom.models if custom else ()):
            if not model.startswith("arn:"):
                continue
            yield ("vision", "analyses", "custom_labels", "models", index), model
        if self.retail is not None and not self.retail.by_name():
            yield ("retail", "model"), self.retail.model

    def _endpoints(self) -> Iterator[tuple[str, EndpointSettings]]:
        yield from self.hosting.models.items() if self.hosting else ()

    def _of_other_place(self, at: Loc, model: str) -> Iterator[Broken]:
        """A model is used in its own Region and account."""
        region, account = model.split(":")[3:5]
        # Another partition has other Regions: that is said once, as the partition.
        same = self.region is None or partition_of(region) == partition_of(self.region)
        if self.region is not None and region != self.region and same:
            problem = f"is a model in {region}, but images are analysed in {self.region}"
            allowed = f"a model in {self.region}"
            yield Broken(at, model, problem, allowed, (at, ("region",)))
        if self.account is not None and account != self.account:
            problem = f"is a model of account {account}, but the role is made in {self.account}"
            allowed = f"a model of account {self.account}"
            yield Broken(at, model, problem, allowed, (at, ("account",)))

    def _without_rekognition(self, region: str) -> Iterator[Broken]:
        for name in ("vision", "retail"):
            if getattr(self, name) is not None and region not in REKOGNITION:
                at: Loc = ("region",)
                problem = f"has no Amazon Rekognition, which {name} needs"
                allowed = f"{', '.join(sorted(REKOGNITION))}; or {name}: null"
                yield Broken(at, region, problem, allowed, (at, (name,)))

    def _without_model_registry(self, region: str) -> Iterator[Broken]:
        if self.training is not None and region not in MODEL_REGISTRY:
            at: Loc = ("region",)
            problem = "has no model package groups of Amazon SageMaker, which training needs"
            allowed = f"{', '.join(sorted(MODEL_REGISTRY))}; or training: null"
            yield Broken(at, region, problem, allowed, (at, ("training",)))

    def _untrained(self) -> Iterator[Broken]:
        """Yield endpoints of models that are not trained."""
        trained = tuple(self.training.models) if self.training else ()
        for name in self.hosting.models if self.hosting else ():
            if name not in trained:
                at: Loc = ("hosting", "models", name)
                close = meant(name, trained)
                problem = "is no model of training" + (f"; did you mean {close}?" if close else "")
                allowed = ", ".join(trained) or "hosting: null, since training has no models"
                yield Broken(at, None, problem, allowed, (at, ("training",)))

    def _without_network(self) -> Iterator[Broken]:
        """Yield endpoints in a network that is not there."""
        for name, model in self._endpoints():
            if model.in_network and self.network is None:
                at: Loc = ("hosting", "models", name, "in_network")
                problem = "needs the environment's network, and there is none"
                yield Broken(at, True, problem, "false or null; or a network", (at, ("network",)))

    def _labels_that_train(self) -> Iterator[Broken]:
        """Yield labels that lie among the data whose arrival starts training."""
        for name, endpoint in self._endpoints():
            labels = endpoint.drift.labels_prefix if endpoint.drift else None
            trained = self.training.models.get(name) if self.training else None
            if labels and trained and labels.startswith(trained.data_prefix):
                at: Loc = ("hosting", "models", name, "drift", "labels_prefix")
                data: Loc = ("training", "models", name, "data_prefix")
                problem = f"lies in data_prefix ({trained.data_prefix}), which training reads"
                yield Broken(at, labels, problem, "a folder beside it", (at, data))

    def _batches_among_others(self) -> Iterator[Broken]:
        """Yield batches whose files would start a training, or that would score other data."""
        others: dict[Loc, tuple[str, str]] = {}
        for name, trained in self.training.models.items() if self.training else ():
            others["training", "models", name, "data_prefix"] = (trained.data_prefix, "training")
        for name, endpoint in self._endpoints():
            if endpoint.drift and (labels := endpoint.drift.labels_prefix):
                others["hosting", "models", name, "drift", "labels_prefix"] = labels, "labels"
        for name, endpoint in self._endpoints():
            if endpoint.batch is None:
                continue
            at: Loc = ("hosting", "models", name, "batch", "prefix")
            mine = endpoint.batch.prefix_for(name)
            for other, (folder, use) in others.items():
                if mine.startswith(folder) or folder.startswith(mine):
                    problem = f"is {mine}, which overlaps with {folder}, the folder of {use}"
                    given = endpoint.batch.prefix
                    yield Broken(at, given, problem, "a folder beside it", (at, other))

    def _monitored(self) -> Iterator[Broken]:
        """Yield what Model Monitor needs to know or cannot do, where it is to watch."""
        switch: Loc = ("account_features", "model_monitor")
        for name, endpoint in self._endpoints():
            drift = endpoint.drift
            if drift is None or not self.account_features.model_monitor:
                continue
            at: Loc = ("hosting", "models", name, "drift")
            if not drift.features:
                problem = "names no feature, and Model Monitor's alarms are by feature"
                allowed = f"a list such as [tenure, Contract]; or {'.'.join(switch)}: false"
                yield Broken((*at, "features"), None, problem, allowed, ((*at, "features"), switch))
            if drift.monitor_schedule is None:
                problem = "is nothing that Model Monitor can keep to"
                allowed = (
                    'each hour, "rate(1 hour)"; each day on the hour, "cron(0 2 * * ? *)"; or '
                )
                allowed += 'every few hours, "cron(0 0/6 * * ? *)"'
                where: Loc = (*at, "schedule")
                yield Broken(where, drift.schedule, problem, allowed, (where, switch))

    def _of_other_account(self, arn: str) -> Iterator[Broken]:
        owner = arn.split(":")[4]
        if self.account is not None and owner not in ("aws", self.account):
            at: Loc = ("security", "permissions_boundary")
            problem = f"is a policy of account {owner}, but the roles are made in {self.account}"
            allowed = f"a managed policy of account {self.account} or of AWS"
            yield Broken(at, arn, problem, allowed, (at, ("account",)))

    @staticmethod
    def _of_other_partition(region: str, at: Loc, arn: str) -> Iterator[Broken]:
        expected = partition_of(region)
        given = arn.split(":")[1]
        if given != expected:
            problem = f"is in partition {given}, but Region {region} is in {expected}"
            allowed = re.sub("^arn:[^:]+", f"arn:{expected}", arn)
            yield Broken(at, arn, problem, allowed, (at, ("region",)))


def partition_of(region: str) -> str:
    """Return the partition that a Region belongs to, such as "aws" for "eu-west-1"."""
    found = (name for prefix, name in _PARTITIONS.items() if region.startswith(prefix))
    return next(found, "aws")

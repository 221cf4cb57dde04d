"""What the settings of an endpoint mean for the constructs that host it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import aws_s3 as s3

from config import EndpointSettings, EnvironmentSettings, TrainingSettings
from sagelens import JobSurroundings, Network, PrivateNetwork, S3Folder
from sagelens.endpoint_options import (
    AllAtOnce,
    Canary,
    Capacity,
    DataCapture,
    Deployment,
    Instances,
    Linear,
    Scaling,
    Serverless,
    Thresholds,
)
from stacks.training_plans import SOURCE

VARIANT = "main"
"""The one variant of each endpoint; it must never change."""


@dataclass(frozen=True)
class HostingNames:
    """The names by which the stacks of a model's hosting know each other.

    Args:
        environment: The environment's name.
        model: The model's name.
    """

    environment: str
    model: str

    @property
    def endpoint(self) -> str:
        """The endpoint, and the model package group whose versions it serves."""
        return f"sagelens-{self.environment}-{self.model}"

    @property
    def capability(self) -> str:
        """What the hosting stack provides, the end of its name."""
        return f"hosting-{self.model}"

    @property
    def stack(self) -> str:
        """The hosting stack."""
        return f"sagelens-{self.environment}-{self.capability}"

    @property
    def watch(self) -> str:
        """The drift watch: what its jobs' names begin with, and the dimension of its metrics."""
        return f"{self.endpoint}-drift"

    @property
    def batch(self) -> str:
        """Batch scoring: what the names of its jobs and models begin with."""
        return f"{self.endpoint}-batch"

    @property
    def monitor(self) -> str:
        """Model Monitor's schedule, where it watches the endpoint."""
        return f"{self.endpoint}-monitor"

    @property
    def captured(self) -> str:
        """Folder of captured requests in the models bucket."""
        return f"{self.model}/captured/"

    @property
    def scores(self) -> str:
        """Folder of batch results in the models bucket."""
        return f"{self.model}/scores/"

    @property
    def live_prefix(self) -> str:
        """What the names of all parameters with a live version begin with."""
        return f"/sagelens/{self.environment}/live/"

    @property
    def live_parameter(self) -> str:
        """The parameter with the live version."""
        return f"{self.live_prefix}{self.model}"


def capacity_of(endpoint: EndpointSettings) -> Capacity:
    """What an endpoint runs on."""
    serverless, instances = endpoint.capacity.serverless, endpoint.capacity.instances
    if serverless is not None:
        return Serverless(**serverless.model_dump())
    assert instances is not None
    scaling = instances.scaling
    return Instances(
        instance_type=instances.instance_type,
        count=instances.instance_count,
        scaling=Scaling(**scaling.model_dump()) if scaling else None,
    )


def deployment_of(endpoint: EndpointSettings) -> Deployment:
    """How traffic moves to a new version."""
    way = endpoint.deployment
    if way.canary is not None:
        return Canary(**way.canary.model_dump())
    if way.linear is not None:
        return Linear(**way.linear.model_dump())
    assert way.all_at_once is not None
    return AllAtOnce(**way.all_at_once.model_dump())


def thresholds_of(endpoint: EndpointSettings) -> Thresholds:
    """From when its alarms ring."""
    return Thresholds(**endpoint.thresholds.model_dump())


def capture_of(
    endpoint: EndpointSettings, *, names: HostingNames, bucket: s3.IBucket
) -> DataCapture | None:
    """Where its requests are kept, if they are.

    Args:
        endpoint: Its settings.
        names: Names of the model's hosting.
        bucket: The bucket of models: it announces no new objects, so nothing starts by them.
    """
    if endpoint.capture_percent is None:
        return None
    return DataCapture(
        folder=S3Folder(bucket=bucket, prefix=names.captured),
        percent=endpoint.capture_percent,
    )


def expiring(settings: EnvironmentSettings) -> Iterator[tuple[str, int]]:
    """Yield the folders of the models bucket that hold customers' data, and after how many days
    their objects go.

    It does not ask whether capture is on: what was captured before it was turned off goes too.
    """
    for model, endpoint in settings.hosting.models.items() if settings.hosting else ():
        names = HostingNames(settings.name, model)
        yield names.captured, endpoint.capture_days
        if endpoint.batch:
            yield names.scores, endpoint.batch.result_days


def surroundings_of(training: TrainingSettings, network: PrivateNetwork | None) -> JobSurroundings:
    """What the jobs around an endpoint run within: as those of training, but one instance each.

    Args:
        training: How models are trained.
        network: The environment's network, if it has one.
    """
    return JobSurroundings(
        network=Network(vpc=network.vpc, security_groups=[network.workload_security_group])
        if network
        else None,
        network_isolation=training.network_isolation,
        encrypt_between_instances=training.encrypt_between_instances,
    )


def network_of(endpoint: EndpointSettings, network: PrivateNetwork | None) -> Network | None:
    """Where its containers run, if in a network of the environment's.

    It needs Amazon S3 alone, by the network's gateway ("Give SageMaker AI hosted endpoints access
    to resources in your Amazon VPC").
    """
    chosen = endpoint.in_network
    wanted = not endpoint.serverless if chosen is None else chosen
    if network is None or not wanted:
        return None
    return Network(vpc=network.vpc, security_groups=[network.workload_security_group])


def sample_of(endpoint: EndpointSettings, *, model: str) -> Path:
    """The file with the request that a version must answer."""
    return SOURCE / model / endpoint.smoke_test.sample


def has_instances(settings: EnvironmentSettings) -> bool:
    """Whether any endpoint of an environment runs on instances."""
    hosting = settings.hosting
    return hosting is not None and not all(each.serverless for each in hosting.models.values())

"""A fleet: the servers of all production variants of one endpoint configuration.

Each variant is one process, however many instances it asks for.
"""

import random
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.serving.model_server import ModelContainer, ModelServer, ServingError

LOG_GROUP = "/aws/sagemaker/Endpoints"


@dataclass
class Variant:
    """One production variant as it serves.

    Attributes:
        name: of the variant.
        settings: as the endpoint configuration has them.
        weight: its share among the fleet's variants.
        instances: how many it is said to have.
        server: the process.
        image: of its container.
        role_arn: of its model.
    """

    name: str
    settings: Mapping[str, Any]
    weight: float
    instances: int
    server: ModelServer
    image: str
    role_arn: str

    def summary(self, desired: bool = True) -> dict[str, Any]:
        """A line of DescribeEndpoint's ProductionVariants."""
        told: dict[str, Any] = {
            "VariantName": self.name,
            "DeployedImages": [{"SpecifiedImage": self.image, "ResolvedImage": self.image}],
            "CurrentWeight": self.weight,
            "CurrentInstanceCount": self.instances,
        }
        if desired:
            told |= {"DesiredWeight": self.weight, "DesiredInstanceCount": self.instances}
        serverless = self.settings.get("ServerlessConfig")
        if serverless:
            told["CurrentServerlessConfig"] = serverless
        return told


class Fleet:
    """The variants of one configuration, started together and ended together.

    Args:
        context: SageMaker's.
        endpoint: name of the endpoint, for logs.
        config_name: of the endpoint configuration.
    """

    def __init__(self, context: Context, endpoint: str, config_name: str) -> None:
        self.config_name = config_name
        self._context = context
        self._endpoint = endpoint
        client = context.client("sagemaker")
        self.config: dict[str, Any] = client.describe_endpoint_config(
            EndpointConfigName=config_name
        )
        self.variants = {
            each["VariantName"]: self._variant(each) for each in self.config["ProductionVariants"]
        }

    @property
    def capture(self) -> Mapping[str, Any]:
        """DataCaptureConfig; empty where there is none."""
        return self.config.get("DataCaptureConfig", {})

    def start(self) -> None:
        """Start every variant.

        Raises:
            ServingError: one did not come up; those that did are ended again.
        """
        servers = [variant.server for variant in self.variants.values()]
        with ThreadPoolExecutor(len(servers)) as pool:
            waiting = [pool.submit(server.start) for server in servers]
        failed = [error for each in waiting if (error := each.exception())]
        if failed:
            self.stop()
            raise failed[0]

    def stop(self) -> None:
        """End every variant."""
        for variant in self.variants.values():
            variant.server.stop()

    def choose(self) -> Variant:
        """A variant by weight."""
        variants = list(self.variants.values())
        weights = [variant.weight for variant in variants]
        return random.choices(variants, weights)[0] if sum(weights) else variants[0]

    def _variant(self, settings: Mapping[str, Any]) -> Variant:
        name = str(settings["VariantName"])
        model = self._context.client("sagemaker").describe_model(ModelName=settings["ModelName"])
        container = container_of(self._context, model)
        stream = f"{name}/i-{uuid4().hex[:17]}"

        def log(lines: list[str]) -> None:
            for line in lines:
                self._context.log(f"{LOG_GROUP}/{self._endpoint}", stream, line)

        server = ModelServer(
            self._context,
            label=f"{self._endpoint}-{name}",
            container=container,
            role_arn=model["ExecutionRoleArn"],
            isolated=bool(model.get("EnableNetworkIsolation")),
            on_lines=log,
            variant=name,
        )
        return Variant(
            name,
            settings,
            float(settings.get("InitialVariantWeight", 1.0)),
            int(settings.get("InitialInstanceCount", 1)),
            server,
            container.image,
            model["ExecutionRoleArn"],
        )


def container_of(context: Context, model: Mapping[str, Any]) -> ModelContainer:
    """The one container of a model, with what its model package says resolved.

    Raises:
        ServingError: it has several.
    """
    containers = model.get("Containers") or [model.get("PrimaryContainer", {})]
    if len(containers) != 1:
        raise ServingError(
            f"the rehearsal serves models of one container; {model.get('ModelName')} has "
            f"{len(containers)}"
        )
    container: dict[str, Any] = dict(containers[0])
    package = container.get("ModelPackageName")
    if package:
        described = context.client("sagemaker").describe_model_package(ModelPackageName=package)
        specified = described["InferenceSpecification"]["Containers"][0]
        environment = {**specified.get("Environment", {}), **container.get("Environment", {})}
        container = {**specified, "Environment": environment}
    return ModelContainer(
        container["Image"], container.get("ModelDataUrl"), container.get("Environment", {})
    )

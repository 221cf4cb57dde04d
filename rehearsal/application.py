"""The ASGI application of the server: MiniStack, our services, and the control API before them."""

import asyncio
import logging
import os
from collections.abc import Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

from rehearsal import ministack_adapter as adapter
from rehearsal.control import Control
from rehearsal.custom_labels import cloudformation as projects_type
from rehearsal.custom_labels.cloudformation import Projects
from rehearsal.custom_labels.service import CustomLabels
from rehearsal.custom_resources import AutoDeleteObjects, SdkCall
from rehearsal.environment import ACCOUNT
from rehearsal.local_session import LocalSession
from rehearsal.recorded_types import Recorder, known_types
from rehearsal.rekognition import Caller, Rekognition
from rehearsal.sagemaker import cloudformation, notebook_types
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker_host import make_sagemaker
from rehearsal.scaling import NAME, Scaling
from rehearsal.scaling_types import ScalableTargets, ScalingPolicies

TICK_SECONDS = 1.0
logger = logging.getLogger("rehearsal")


class _Store:
    """S3 as Rekognition sees it."""

    def caller(self, headers: dict[str, str], query: dict[str, list[str]]) -> Caller:
        return adapter.Caller.of(headers, query)

    def region(self, headers: dict[str, str], query: dict[str, list[str]]) -> str:
        return adapter.Caller.of(headers, query).region

    def read(self, bucket: str, key: str, version: str | None, region: str) -> bytes | None:
        if adapter.bucket_region(bucket) != region:
            return None
        return adapter.read_object(bucket, key, version)

    def read_version(self, bucket: str, key: str, version: str | None) -> bytes | None:
        return adapter.read_object(bucket, key, version)

    def write(self, bucket: str, key: str, content: bytes) -> None:
        _client("s3").put_object(Bucket=bucket, Key=key, Body=content)


def _client(service: str) -> Any:
    """A client of the account's root user, for what a service does by itself."""
    endpoint = f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}"
    return LocalSession(endpoint, os.environ["AWS_REGION"]).client(service)


def build(samples: list[Path], ready: Callable[[], None]) -> Any:
    """Install everything into MiniStack and return the application.

    Args:
        samples: folders with images and their answers.
        ready: called once, when the application can answer.
    """
    region = os.environ["AWS_REGION"]
    adapter.install()
    recorder = Recorder(region)
    rekognition = Rekognition(_Store(), samples)
    rekognition.answers.scan()
    for name, error in rekognition.answers.errors.items():
        logger.warning("answer file not used: %s: %s", name, error)
    models = _add_custom_labels(rekognition, region)

    def forget() -> None:
        rekognition.reset()
        models.reset()

    service = rekognition.service
    adapter.register_service("rekognition", service.target_prefix, service.handle, forget)
    sagemaker = make_sagemaker(region)
    _register_custom_resources(region)
    cloudformation.register(
        sagemaker.context,
        adapter.register_type,
        adapter.describe_type,
        more=notebook_types.provisioners(sagemaker.context),
    )
    _register_scaling(sagemaker.context)
    _register_recorded(recorder)
    control = Control(
        rekognition,
        models,
        sagemaker,
        recorder,
        adapter.reset_everything,
        {
            "states/waits": adapter.scale_waits,
            "alarms/periods": adapter.scale_periods,
            "schedules/fire": adapter.fire_schedules,
        },
    )
    return _Application(control, ready)


def _add_custom_labels(rekognition: Rekognition, region: str) -> CustomLabels:
    models = CustomLabels(_Store(), region, ACCOUNT)
    rekognition.operations.update(models.operations)
    rekognition.guards["DetectCustomLabels"] = models.admit
    projects = Projects(lambda: _client("rekognition"))
    adapter.register_type(
        projects_type.TYPE, projects.create, projects.update, projects.delete, threaded=True
    )
    adapter.describe_type(projects_type.TYPE, named="ProjectName", replacing=("ProjectName",))
    return models


def _register_custom_resources(region: str) -> None:
    emptier = AutoDeleteObjects(adapter.bucket_tags, adapter.empty_bucket)
    caller = SdkCall(f"http://127.0.0.1:{os.environ['GATEWAY_PORT']}", region)
    for name, handler in (("Custom::S3AutoDeleteObjects", emptier), ("Custom::AWS", caller)):
        adapter.register_type(name, handler.create, handler.update, handler.delete, threaded=True)


def _register_scaling(context: Context) -> None:
    service = Scaling(context).service
    # What it keeps lies in SageMaker's tables, which are emptied with them.
    adapter.register_service(NAME, service.target_prefix, service.handle, lambda: None)
    for name, handler in (
        ("ScalableTarget", ScalableTargets(context.client)),
        ("ScalingPolicy", ScalingPolicies(context.client)),
    ):
        adapter.register_type(
            f"AWS::ApplicationAutoScaling::{name}",
            handler.create,
            handler.update,
            handler.delete,
            threaded=True,
        )


def _register_recorded(recorder: Recorder) -> None:
    for name in known_types().keys() - adapter.registered_types():
        adapter.register_type(
            name,
            partial(recorder.create, name),
            partial(_update, recorder, name),
            lambda physical_id, props: recorder.delete(physical_id),
        )


def _update(
    recorder: Recorder, name: str, physical_id: str, old: Any, new: dict[str, Any], stack: str
) -> Any:
    return recorder.update(name, physical_id, new)


class _Application:
    def __init__(self, control: Control, ready: Callable[[], None]) -> None:
        self._control = control
        self._ready = ready
        self._ticker: asyncio.Task[None] | None = None

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await adapter.application(scope, receive, partial(self._lifespan, send))
        elif scope["type"] == "http" and scope["path"].startswith("/_rehearsal/"):
            await self._control(scope, receive, send)
        else:
            await adapter.application(scope, receive, send)

    async def _lifespan(self, send: Any, message: MutableMapping[str, Any]) -> None:
        await send(message)
        if message["type"] == "lifespan.startup.complete":
            self._ticker = asyncio.create_task(_tick())
            self._ready()


async def _tick() -> None:
    """Evaluate the alarms once a second, for ever."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        try:
            await asyncio.to_thread(adapter.evaluate_alarms)
        except Exception:
            logger.exception("the alarms could not be evaluated")

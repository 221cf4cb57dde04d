"""Amazon Rekognition's stand-in: scripted answers behind the real API's rules.

An operation that takes images needs no code here: its images are found in botocore's model by
their shape, what it leaves out in `thinning`. Operations of another kind join through
`Rekognition.operations`: those on stored videos do (`stored_videos`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from rehearsal.answers import SUFFIX, AnswerBook, digest
from rehearsal.aws_json import Call, JsonService, ServiceError
from rehearsal.controls import Controls
from rehearsal.images import check_image, check_size
from rehearsal.stored_videos import StoredVideos
from rehearsal.thinning import thin

LARGE = 512 * 1024  # bytes above which hashing leaves the event loop
KNOWN_GOOD = 10_000  # images whose checks are remembered


# Personal protective equipment has its own bounds in pixels.
LEAST_SIDE = {"DetectProtectiveEquipment": 64}
MOST_SIDE = {"DetectProtectiveEquipment": 4096}


class Caller(Protocol):
    """The permissions of whoever sent a request (the adapter's Caller)."""

    def may_read_object(self, bucket: str, key: str, version: str | None) -> bool:
        """Whether this caller may get the object, or the version."""
        ...

    def may(self, action: str, resource_arn: str, **context: str) -> bool:
        """Whether this caller may do something; condition keys by name, `:` written as `__`."""
        ...


class Store(Protocol):
    """Where S3 objects come from (the adapter's functions)."""

    def caller(self, headers: dict[str, str], query: dict[str, list[str]]) -> Caller:
        """Who sent a request."""
        ...

    def read(self, bucket: str, key: str, version: str | None, region: str) -> bytes | None:
        """The object's bytes; None if there is none, or if it lies in another Region."""
        ...

    def region(self, headers: dict[str, str], query: dict[str, list[str]]) -> str:
        """The Region that a request was signed for."""
        ...


class Rekognition:
    """The service.

    Args:
        store: S3, read with the caller's permissions.
        samples: folders with images and their answer files.
    """

    def __init__(self, store: Store, samples: list[Path]) -> None:
        self.controls = Controls()
        self.answers = AnswerBook(samples)
        self.service = JsonService(
            "rekognition", self._answer, self.controls.admit, self.controls.record
        )
        self.operations: dict[str, Callable[[Call], Awaitable[Mapping[str, Any]]]] = {}
        self.videos = StoredVideos(self.answers, self._stored, self._unscripted)
        self.operations |= self.videos.operations()
        # Asked first: they refuse a call by raising ServiceError.
        self.guards: dict[str, Callable[[Call], None]] = {}
        self._store = store
        model = self.service.model
        # Image, or SourceImage and TargetImage: the members by which an image comes in.
        self._images = {n: model.members_of_shape(n, "Image") for n in model.operations}
        self._good: set[tuple[str, int]] = set()

    def reset(self) -> None:
        """Forget all that the control API set; answers beside samples stay."""
        self.controls.clear()
        self.answers.clear()
        self.videos.clear()

    async def _answer(self, call: Call) -> Mapping[str, Any]:
        name = call.operation
        own = self.operations.get(name)
        if own is not None:
            return await own(call)
        guard = self.guards.get(name)
        if guard is not None:
            guard(call)
        given = [member for member in self._images[name] if member in call.parameters]
        if not given:
            raise ServiceError(
                "NotRehearsedException",
                f"the rehearsal has no stand-in for rekognition:{name}; it has the operations "
                "that look at an image, and those on stored videos",
            )
        names = [await self._look_at(call, call.parameters[member]) for member in given]
        key = "+".join(names)
        answer = self.answers.find(key, name)
        if answer is None:
            raise self._unscripted(key, name)
        return thin(name, answer, call.parameters)

    async def _look_at(self, call: Call, image: dict[str, Any]) -> str:
        """Fetch and check one image; return its digest."""
        content = self._content(call, image)
        large = len(content) > LARGE
        name = await asyncio.to_thread(digest, content) if large else digest(content)
        operation = call.operation
        least = LEAST_SIDE.get(operation, 80)
        if (name, least) not in self._good:
            check_image(content, least, MOST_SIDE.get(operation, 10_000))
            if len(self._good) >= KNOWN_GOOD:
                self._good.clear()
            self._good.add((name, least))
        return name

    def _content(self, call: Call, image: dict[str, Any]) -> bytes:
        stored = cast("dict[str, str] | None", image.get("S3Object"))
        if (stored is None) == ("Bytes" not in image):
            raise ServiceError("InvalidParameterException", "Request has invalid parameters")
        if stored is None:
            content = cast("bytes", image["Bytes"])
            check_size(content, inline=True)
            return content
        content = self._stored(call, stored)
        check_size(content, inline=False)
        return content

    def _stored(self, call: Call, stored: dict[str, str]) -> bytes:
        bucket, key, version = stored.get("Bucket"), stored.get("Name"), stored.get("Version")
        if not bucket or not key:
            raise ServiceError("InvalidParameterException", "Request has invalid parameters")
        caller = self._store.caller(call.headers, call.query)
        content = None
        if caller.may_read_object(bucket, key, version):
            region = self._store.region(call.headers, call.query)
            content = self._store.read(bucket, key, version, region)
        if content is None:  # one error for missing, forbidden and wrong Region, as on AWS
            raise ServiceError(
                "InvalidS3ObjectException",
                "Unable to get object metadata from S3. Check object key, region and/or access "
                "permissions.",
            )
        return content

    def _unscripted(self, key: str, operation: str) -> ServiceError:
        text = (
            f"nobody has scripted an answer to {operation} for the file with SHA-256 {key}. "
            f"Put it into <file>{SUFFIX} beside the sample, or give it by "
            "aws.rekognition.script(image_bytes, {...}): the rehearsal never invents one."
        )
        if self.answers.errors:
            broken = "; ".join(self.answers.errors.values())
            text += f" These answer files could not be used: {broken}"
        return ServiceError("UnscriptedImageException", text)

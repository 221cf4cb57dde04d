"""One line of a manifest: an image and its labels, in the format of SageMaker Ground Truth.

After "Classification in manifest files" and "Object localization in manifest files" in the Amazon
Rekognition Custom Labels guide.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

CLASSIFICATION = "groundtruth/image-classification"
DETECTION = "groundtruth/object-detection"
METADATA = "-metadata"
SOURCE = "source-ref"
# "Guidelines and quotas in Amazon Rekognition Custom Labels".
MOST_BOXES = 50
LONGEST_LABEL = 255


class Wrong(ValueError):
    """Something in a line is wrong; the text says what, and what is allowed."""


@dataclass(frozen=True)
class Line:
    """What a line says: the image's address, its labels, and whether they have boxes."""

    source: str
    labels: frozenset[str]
    boxes: bool


def read(text: str) -> Line:
    """Return what a line says. Raises Wrong with everything that is wrong with it."""
    line = _object(text)
    problems: list[str] = []
    source = line.get(SOURCE)
    if not isinstance(source, str) or not source.startswith("s3://"):
        problems.append(f"{SOURCE} is {_shown(source)}; allowed is an address s3://bucket/key")
    attributes = [name.removesuffix(METADATA) for name in line if name.endswith(METADATA)]
    if not attributes:
        problems.append(
            'it has no labels: allowed is an attribute such as "animal" beside "animal-metadata"'
        )
    labels: set[str] = set()
    kinds: set[bool] = set()
    for name in attributes:
        found = _Attribute(name, line.get(name), _mapping(line[name + METADATA]))
        problems += found.problems()
        labels |= found.labels()
        kinds.add(found.kind == DETECTION)
    if len(kinds) > 1:
        problems.append("it mixes labels of the whole image with boxes; allowed is one of both")
    if problems:
        raise Wrong("; ".join(problems))
    return Line(cast("str", source), frozenset(labels), kinds == {True})


def _object(text: str) -> Mapping[str, Any]:
    if not text.strip():
        raise Wrong("is empty; allowed is one JSON object a line")
    try:
        line = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Wrong(f"is not JSON: {error}") from error
    if not isinstance(line, dict):
        raise Wrong("is no JSON object")
    return cast("dict[str, Any]", line)


@dataclass(frozen=True)
class _Attribute:
    """A label attribute with its metadata."""

    name: str
    value: Any
    metadata: Mapping[str, Any]

    @property
    def kind(self) -> Any:
        return self.metadata.get("type")

    def problems(self) -> list[str]:
        return list(self._problems())

    def labels(self) -> set[str]:
        if list(self._problems()):
            return set()
        if self.kind == CLASSIFICATION:
            return {self.metadata["class-name"]}
        names = self.metadata["class-map"]
        return {names[str(box["class_id"])] for box in self.value["annotations"]}

    def _problems(self) -> Iterator[str]:
        if self.kind not in (CLASSIFICATION, DETECTION):
            yield (
                f"{self.name}{METADATA}.type is {_shown(self.kind)}; allowed are "
                f'"{CLASSIFICATION}" and "{DETECTION}"'
            )
            return
        # Amazon names them as missing too: ERROR_MISSING_CLASSIFICATION_LABEL_METADATA and others.
        for field in ("human-annotated", "creation-date"):
            if not isinstance(self.metadata.get(field), str):
                yield f"{self.name}{METADATA}.{field} is missing"
        if self.kind == CLASSIFICATION:
            yield from self._classification()
        else:
            yield from self._detection()

    def _classification(self) -> Iterator[str]:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            yield f"{self.name} is {_shown(self.value)}; allowed is a whole number"
        yield from self._label(self.metadata.get("class-name"), "class-name")

    def _detection(self) -> Iterator[str]:
        names = self.metadata.get("class-map")
        if not isinstance(names, dict):
            yield f"{self.name}{METADATA}.class-map is {_shown(names)}; allowed are labels by id"
            return
        for key, label in cast("dict[str, Any]", names).items():
            yield from self._label(label, f"class-map.{key}")
        size, boxes = self._size(), self._boxes()
        if size is None:
            yield (
                f'{self.name}.image_size is wrong; allowed is [{{"width": 640, "height": 480, '
                '"depth": 3}]'
            )
        if boxes is None:
            yield f"{self.name}.annotations is wrong; allowed is a list of boxes"
            return
        if len(boxes) > MOST_BOXES:
            yield f"{self.name}.annotations has {len(boxes)} boxes; allowed are {MOST_BOXES}"
        for at, box in enumerate(boxes):
            yield from self._box(at, box, size, cast("dict[str, Any]", names))

    def _box(
        self, at: int, box: Any, size: tuple[int, int] | None, names: Mapping[str, Any]
    ) -> Iterator[str]:
        place = f"{self.name}.annotations[{at}]"
        given = _mapping(box)
        if str(given.get("class_id")) not in names:
            yield f"{place}.class_id is {_shown(given.get('class_id'))}, which class-map lacks"
        sides = [_number(given.get(name)) for name in ("left", "top", "width", "height")]
        left, top, width, height = (side if side is not None else -1 for side in sides)
        if None in sides or min(left, top) < 0 or min(width, height) <= 0:
            yield f"{place} has a wrong left, top, width or height; allowed are pixels"
        elif size and (left + width > size[0] or top + height > size[1]):
            yield f"{place} reaches out of the image of {size[0]} x {size[1]} pixels"

    def _size(self) -> tuple[int, int] | None:
        try:
            (size,) = _mapping(self.value)["image_size"]
            width, height = int(size["width"]), int(size["height"])
        except (KeyError, TypeError, ValueError):
            return None
        return (width, height) if min(width, height) > 0 else None

    def _boxes(self) -> list[Any] | None:
        boxes = _mapping(self.value).get("annotations")
        return cast("list[Any]", boxes) if isinstance(boxes, list) else None

    def _label(self, label: Any, field: str) -> Iterator[str]:
        if not isinstance(label, str) or not 0 < len(label.strip()) <= LONGEST_LABEL:
            yield (
                f"{self.name}{METADATA}.{field} is {_shown(label)}; allowed is a label of 1 to "
                f"{LONGEST_LABEL} characters"
            )


def _mapping(value: Any) -> Mapping[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _shown(value: Any) -> str:
    return "missing" if value is None else json.dumps(value, ensure_ascii=False)[:60]

"""A training and a test manifest, checked line by line before anything is billed.

Amazon tells of wrong lines only after the training that they spoil, and takes up to a fifth of
them in silence ("Validation rules for manifest files", Amazon Rekognition Custom Labels).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from custom_labels_training import lines
from custom_labels_training.lines import Line, Wrong

# "Guidelines and quotas in Amazon Rekognition Custom Labels".
Mapper = Callable[[Callable[[str], str | None], list[str]], Iterable[str | None]]
MOST_LINES = 250_000
MOST_LABELS = 250
# An execution's cause holds 32,768 characters ("Error", Step Functions API reference).
MOST_SHOWN = 100
SHOWN_CHARACTERS = 24_000


class ManifestErrors(ValueError):
    """Manifests that cannot be trained on. The text lists what is wrong, by file and line."""


@dataclass(frozen=True)
class Place:
    """Where images must lie: bucket and folder."""

    bucket: str
    prefix: str

    def key(self, source: str) -> str:
        """Return the key of an image's address. Raises Wrong if it lies elsewhere."""
        bucket, _, key = source.removeprefix("s3://").partition("/")
        if bucket != self.bucket or not key.startswith(self.prefix) or key == self.prefix:
            raise Wrong(
                f"{lines.SOURCE} is {source!r}; allowed are images in "
                f"s3://{self.bucket}/{self.prefix}"
            )
        return key


@dataclass
class Manifest:
    """What was read of one manifest.

    name: as errors call it. keys: number of the line by the image's key. labels: images of each
    label. problems: what is wrong, by line; 0 for the file as a whole.
    """

    name: str
    keys: dict[str, int] = field(default_factory=dict[str, int])
    labels: Counter[str] = field(default_factory=Counter[str])
    boxes: bool = False
    problems: list[tuple[int, str]] = field(default_factory=list[tuple[int, str]])

    def say(self, line: int, problem: str) -> None:
        """Note a problem."""
        self.problems.append((line, problem))


def read(name: str, texts: Iterable[str], place: Place) -> Manifest:
    """Return what a manifest's lines say, and what is wrong with them."""
    found = Manifest(name)
    for number, text in enumerate(texts, start=1):
        if number > MOST_LINES:
            found.say(0, f"has more than {MOST_LINES:,} lines, the most that Amazon takes")
            break
        try:
            line = lines.read(text)
            key = place.key(line.source)
        except Wrong as error:
            found.say(number, str(error))
            continue
        _note(found, number, key, line)
    if not found.keys and not found.problems:
        found.say(0, "is empty")
    return found


def _note(found: Manifest, number: int, key: str, line: Line) -> None:
    earlier = found.keys.setdefault(key, number)
    if earlier != number:
        found.say(number, f"names the same image as line {earlier}; allowed is each once")
        return
    found.labels.update(line.labels)
    found.boxes = found.boxes or line.boxes


def check_images(found: Manifest, problem_of: Callable[[str], str | None], each: Mapper) -> None:
    """Note every image that cannot be used.

    problem_of: what is wrong with the image of a key, or None. each: maps a function over keys,
    side by side if it likes.
    """
    keys = list(found.keys)
    for key, problem in zip(keys, each(problem_of, keys), strict=True):
        if problem:
            found.say(found.keys[key], problem)


def check_together(train: Manifest, test: Manifest, least_images: int) -> None:
    """Note what is wrong with the two manifests as a pair.

    least_images: training images that each label must have.
    """
    for key in test.keys.keys() & train.keys.keys():
        test.say(
            test.keys[key],
            f"names an image of {train.name} (line {train.keys[key]}), so the test would be none",
        )
    least = 1 if train.boxes else 2
    if not least <= len(train.labels) <= MOST_LABELS:
        kind = "boxes" if train.boxes else "labels of whole images"
        allowed = f"{least} to {MOST_LABELS} with {kind}"
        train.say(0, f"has {len(train.labels)} different labels; allowed are {allowed}")
    for label, count in sorted(train.labels.items()):
        if count < least_images:
            train.say(0, f"has {count} images of {label!r}; allowed are {least_images} or more")
        if label not in test.labels:
            test.say(0, f"has no image of {label!r}, so that its recall could not be judged")
    for label in sorted(test.labels.keys() - train.labels.keys()):
        test.say(0, f"has images of {label!r}, which {train.name} does not teach")


def require(*manifests: Manifest) -> None:
    """Raise ManifestErrors, with everything that is wrong, if anything is."""
    told = [line for each in manifests for line in _told(each)]
    if told:
        count = len(told)
        title = f"nothing was trained: the manifests have {count:,} error{'s' * (count > 1)}"
        shown = "\n".join(islice(told, MOST_SHOWN))[:SHOWN_CHARACTERS]
        more = f"\nand {count - MOST_SHOWN:,} more" if count > MOST_SHOWN else ""
        raise ManifestErrors(f"{title}:\n{shown}{more}")


def _told(found: Manifest) -> Iterator[str]:
    for line, problem in sorted(found.problems):
        yield f"{found.name}{f':{line}' if line else ''}: {problem}"

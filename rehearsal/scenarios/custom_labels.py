"""Scenario `custom-labels`: a model of one's own is trained, gated, used on a lease and stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from rehearsal.report.model import Check, ChecksCard, Decision, ImageCard, Outcome, TableCard
from rehearsal.samples.catalogue import Sample, load
from rehearsal.scenarios.support.boxes import annotated, found_in
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.models import Model
from rehearsal.scenarios.support.second import deployed
from rehearsal.scenarios.support.seeing import reason_of
from rehearsal.scenarios.support.uploads import ImagesBucket, Upload
from rehearsal.scenarios.support.waiting import until

NAME = "custom-labels"
TITLE = "A model of your own is trained, passes its gate, and runs only while it is needed"
ORDER = 2.5
REAL = (
    "Every line of the manifests and every image in them was looked at, by the deployed function.",
    "The training's state machine, the gate, the table of live versions and waiting work, and the "
    "keeper that starts and stops versions are the deployed ones, under their own roles.",
)
STOOD_IN = (
    "What the training of the Custom Labels model came to, and what the model sees, is scripted;"
    " starts, stops and the lease take seconds instead of minutes and hours.",
)

ENVIRONMENT = "shelves"
LABELS = ("full", "empty")
RECALLS = {"full": 0.94, "empty": 0.88}
F1 = 0.91
LEASE_SECONDS = 300  # the environment's lease_minutes
SEEN: dict[str, Any] = {
    "CustomLabels": [
        {
            "Name": "full",
            "Confidence": 93.4,
            "Geometry": {"BoundingBox": {"Left": 0.2, "Top": 0.5, "Width": 0.55, "Height": 0.3}},
        }
    ]
}
WAITS = 0.005


def run(context: Context) -> Outcome:
    """Deploy an environment with a model, and follow the model through its life.

    Raises:
        NotInTime: a step did not happen.
        RehearsalError: the environment could not be deployed.
    """
    own = deployed(context, ENVIRONMENT)
    model = Model(own, "shelf", f"sagelens-{ENVIRONMENT}-shelf")
    sample = load("vision")[0]
    context.aws.scale_waits(WAITS)
    try:
        refused, errors = _refused(model, sample)
        trained, figures = _trained(model)
        upload, used = _used(model, own, sample)
    finally:
        context.aws.scale_waits(1)
    checks = [refused, trained, *used]
    problems = [f"{check.promise}: {check.found}" for check in checks if not check.passed]
    shown = [errors, figures, _card(upload, sample), ChecksCard("What was checked", checks)]
    facts = {
        "checks": {check.promise: check.passed for check in checks},
        "decision": upload.decision,
    }
    return Outcome(facts, shown, problems, _NOTE)


_NOTE = (
    "This scenario deploys an environment of its own beside the demo's, shelves: its model looks at"
    " every image there."
)


def _manifests(model: Model, sample: Sample) -> dict[str, list[str]]:
    """Store images to train and test on; return the lines of the manifests."""
    lines: dict[str, list[str]] = {"train": [], "test": []}
    for part, count in (("train", 2), ("test", 1)):
        for label in LABELS:
            for number in range(count):
                key = f"{part}/{label}-{number}.jpg"
                model.put(key, sample.content)
                lines[part].append(model.line(key, label))
    return lines


def _refused(model: Model, sample: Sample) -> tuple[Check, TableCard]:
    """Two mistakes in a manifest: both are told, and nothing is trained."""
    lines = _manifests(model, sample)
    wrong = [model.line("train/full-0.jpg", None), lines["train"][1], *lines["train"][2:]]
    wrong.append(model.line("train/lost.jpg", "empty"))
    model.put("train.manifest", "\n".join(wrong).encode())
    model.put("test.manifest", "\n".join(lines["test"]).encode())
    ended = model.train("manifest with mistakes")
    told = _words(ended).splitlines()
    passed = (
        ended.get("error") == "ManifestErrors"
        and any("train.manifest:1: shelf-metadata.class-name" in each for each in told)
        and any("train.manifest:5: there is no object" in each for each in told)
        and not model.versions()
    )
    card = TableCard("What was said of a manifest with mistakes", ("Said",), [[e] for e in told])
    promise = "A manifest with mistakes is refused in words, before anything is billed"
    return Check(promise, passed, f"{len(told) - 1} errors, no version"), card


def _words(ended: Mapping[str, Any]) -> str:
    """The message in the cause of a function that failed."""
    try:
        return json.loads(ended["cause"])["errorMessage"]
    except (KeyError, ValueError):
        return str(ended.get("cause", ended["status"]))


def _trained(model: Model) -> tuple[Check, TableCard]:
    """The manifest mended, a version trained, judged and live."""
    train = "\n".join(
        model.line(f"train/{label}-{number}.jpg", label) for label in LABELS for number in (0, 1)
    ).encode()
    model.put("train.manifest", train)
    model.context.aws.rekognition.script_training(train, f1=F1, recalls=RECALLS)
    ended = model.train("good manifests")
    live = model.state().get("live", "")
    lineage: Mapping[str, Any] = model.lineage(live) if live else {}
    gate: Mapping[str, Any] = lineage.get("gate", {})
    manifest: Mapping[str, Any] = lineage.get("train", {})
    recalls: Mapping[str, Any] = lineage.get("recalls", {})
    rows = [["F1, all labels", f"{F1:.2f}", f"{float(gate.get('f1', 0)):.2f}"]]
    rows += [
        [f"recall, {label}", f"{float(recall):.2f}", f"{float(gate.get('recall', 0)):.2f}"]
        for label, recall in sorted(recalls.items())
    ]
    found = f"{ended['status'].lower()}, {manifest.get('images', 0)} images"
    check = Check("A version that passes its gate goes live", bool(lineage.get("passed")), found)
    note = f"Trained on the manifest with SHA-256 {manifest.get('sha256', '')[:16]}…"
    return check, TableCard("The gate", ("Figure", "Reached", "Wanted"), rows, note)


def _used(model: Model, own: Context, sample: Sample) -> tuple[Upload, list[Check]]:
    """An image comes while the model is stopped; it waits, is looked at, and the model stops."""
    own.aws.rekognition.script(sample.content, {"DetectCustomLabels": SEEN})
    live = model.state()["live"]
    bucket = ImagesBucket(own)
    upload = bucket.upload(sample, "incoming/shelf.jpg")
    own.say("waiting until the image is kept in the models' table")
    parked = until(lambda: model.parked() or None, "a message in the models' table")
    until(bucket.queue_is_empty, "an empty queue")
    model.sweep_until("RUNNING", live)
    model.sweep_until("RUNNING", live)
    bucket.wait_for_records([upload])
    looked = (upload.record or {})["analyses"]["custom_labels"]["models"][0]["model"]
    left = model.parked()
    model.let_time_pass(LEASE_SECONDS)
    model.sweep_until("STOPPED", live)
    waited = "An image whose model does not run waits in the table, not in the queue's retries"
    started = "What waits starts the live version and goes back to the queue"
    return upload, [
        Check(waited, bool(parked), f"{len(parked)} in the table, none in the queue"),
        Check(started, looked == live and not left, f"looked at by {live.split('/')[3]}"),
        Check("The version stops when its lease is over", True, model.versions()[live].lower()),
    ]


def _card(upload: Upload, sample: Sample) -> ImageCard:
    record = upload.record or {}
    return ImageCard(
        title=f"{sample.title}, seen by the model",
        key=upload.key,
        decision=cast(Decision, upload.decision),
        reason=reason_of(record),
        picture=annotated(sample.content, found_in(record)),
        media_type="image/jpeg",
        alt=sample.alt,
        milliseconds=upload.milliseconds,
    )

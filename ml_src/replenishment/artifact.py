"""The replenishment model's folder: `shared/artifact.py` says what it holds."""

from __future__ import annotations

from ml_src.replenishment.features import Encoder
from ml_src.shared.artifact import ModelFolder

MODULES = (
    "__init__.py",
    "artifact.py",
    "features.py",
    "inference.py",
    "request_body.py",
    "schema.py",
    "windows.py",
)
FOLDER = ModelFolder("replenishment", MODULES, Encoder.from_text)
MODEL, SERVING = FOLDER.model, FOLDER.serving
save, load = FOLDER.save, FOLDER.load

"""The churn model's folder: `shared/artifact.py` says what it holds."""

from __future__ import annotations

from ml_src.churn.features import Encoder
from ml_src.shared.artifact import ModelFolder
from ml_src.shared.encoding import ENCODER

__all__ = ["ENCODER", "FOLDER", "MODEL", "SERVING", "load", "save"]

FOLDER = ModelFolder(
    "churn",
    ("__init__.py", "artifact.py", "features.py", "inference.py", "request_body.py", "schema.py"),
    Encoder.from_text,
)
MODEL, SERVING = FOLDER.model, FOLDER.serving
save, load = FOLDER.save, FOLDER.load

"""What Rekognition sees in one picture with something for every analysis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rehearsal.samples.catalogue import FOLDER

_SAMPLE: Path = FOLDER / "vision" / "market.jpg.rekognition.json"
SEEN: dict[str, dict[str, Any]] = {
    **json.loads(_SAMPLE.read_text(encoding="utf-8")),
    "DetectCustomLabels": {
        "CustomLabels": [
            {
                "Name": "gap",
                "Confidence": 77.5,
                "Geometry": {"BoundingBox": {"Left": 0.2, "Top": 0.2, "Width": 0.1, "Height": 0.1}},
            },
            {"Name": "untidy", "Confidence": 44.0},
        ]
    },
}
# The model's operation is allowed by its ARN, every other by one statement.
STATEMENTS = dict.fromkeys(SEEN, "Analyse") | {"DetectCustomLabels": "AnalyseDetectCustomLabels"}

"""What Rekognition answers about one full picture, each answer in its operation's own shape."""

from typing import Any


def box(left: float, top: float, width: float, height: float) -> dict[str, float]:
    return {"Left": left, "Top": top, "Width": width, "Height": height}


def said(value: bool, confidence: float) -> dict[str, Any]:
    return {"Value": value, "Confidence": confidence}


def face(confidence: float, **more: Any) -> dict[str, Any]:
    return {
        "BoundingBox": box(0.1, 0.2, 0.123456789, 0.3),
        "Confidence": confidence,
        "Landmarks": [{"Type": "eyeLeft", "X": 0.15, "Y": 0.25}],
        "Pose": {"Roll": 1.5, "Yaw": -2.5, "Pitch": 3.5},
        "Quality": {"Brightness": 80.5, "Sharpness": 90.5},
        **more,
    }


def full_face(confidence: float) -> dict[str, Any]:
    return face(
        confidence,
        AgeRange={"Low": 27, "High": 35},
        Gender={"Value": "Female", "Confidence": 99.1},
        Smile=said(True, 95.5),
        EyesOpen=said(False, 88.5),
        Sunglasses=said(False, 99.5),
        Emotions=[
            {"Type": "CALM", "Confidence": 3.5},
            {"Type": "HAPPY", "Confidence": 91.5},
            {"Type": "SAD", "Confidence": 1.5},
        ],
    )


FACES: dict[str, Any] = {"FaceDetails": [full_face(97.5), face(99.5)]}
LABELS: dict[str, Any] = {
    "LabelModelVersion": "3.0",
    "Labels": [
        {
            "Name": "Car",
            "Confidence": 98.5,
            "Instances": [{"BoundingBox": box(0.5, 0.6, 0.2, 0.1), "Confidence": 98.5}],
            "Parents": [{"Name": "Transportation"}, {"Name": "Vehicle"}],
            "Aliases": [{"Name": "Automobile"}],
            "Categories": [{"Name": "Vehicles and Automotive"}],
        },
        {
            "Name": "Vehicle",
            "Confidence": 98.5,
            "Instances": [],
            "Parents": [{"Name": "Transportation"}],
            "Categories": [{"Name": "Vehicles and Automotive"}],
        },
        {"Name": "Transportation", "Confidence": 98.5, "Instances": [], "Parents": []},
    ],
    "ImageProperties": {"Quality": {"Brightness": 55.5, "Sharpness": 12.5, "Contrast": 60.5}},
}
TEXT: dict[str, Any] = {
    "TextModelVersion": "3.0",
    "TextDetections": [
        {
            "DetectedText": "CALL 555 0100",
            "Type": "LINE",
            "Id": 0,
            "Confidence": 99.5,
            "Geometry": {"BoundingBox": box(0.1, 0.1, 0.5, 0.05)},
        },
        {
            "DetectedText": "CALL",
            "Type": "WORD",
            "Id": 1,
            "ParentId": 0,
            "Confidence": 99.5,
            "Geometry": {"BoundingBox": box(0.1, 0.1, 0.2, 0.05)},
        },
    ],
}
CELEBRITIES: dict[str, Any] = {
    "CelebrityFaces": [
        {
            "Name": "Example Celebrity",
            "Id": "0aA0",
            "MatchConfidence": 97.5,
            "Urls": ["example.com/celebrity"],
            "KnownGender": {"Type": "Nonbinary"},
            "Face": {
                "BoundingBox": box(0.3, 0.3, 0.1, 0.1),
                "Confidence": 99.5,
                "Emotions": [{"Type": "CALM", "Confidence": 90}],
            },
        },
        {"Name": "Unlikely Match", "Id": "1b", "MatchConfidence": 40.5, "Face": {}},
    ],
    "UnrecognizedFaces": [{"BoundingBox": box(0.6, 0.3, 0.1, 0.1), "Confidence": 98.5}],
}
CUSTOM: dict[str, Any] = {
    "CustomLabels": [
        {
            "Name": "gap",
            "Confidence": 77.5,
            "Geometry": {"BoundingBox": box(0.2, 0.2, 0.1, 0.1)},
        },
        {"Name": "untidy", "Confidence": 61.5},
    ]
}
MODEL = "arn:aws:rekognition:eu-west-1:111122223333:project/shelf/version/v1/1700000000000"

# Settings of every analysis, as the configuration writes them.
OPTIONS: dict[str, dict[str, Any]] = {
    "celebrities": {"minimum_confidence": 50},
    "custom_labels": {"models": [MODEL], "minimum_confidence": 50, "maximum": 100},
    "faces": {"attributes": "all", "store": "attributes"},
    "image_quality": {},
    "labels": {"minimum_confidence": 70, "maximum": 10},
    "moderation": {"minimum_confidence": 40},
    "text": {"minimum_confidence": 80, "store": "text", "patterns": {"phone": "[0-9]{3}"}},
}
SEEN: dict[str, dict[str, Any]] = {
    "DetectCustomLabels": CUSTOM,
    "DetectFaces": FACES,
    "DetectLabels": LABELS,
    "DetectText": TEXT,
    "RecognizeCelebrities": CELEBRITIES,
}

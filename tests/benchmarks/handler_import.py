"""A cold start of the image function beside one that only makes the same clients."""

from __future__ import annotations

from tests.benchmarks.measure import Figure, medians

CLIENTS = """
import boto3
session = boto3.Session(region_name="us-east-1")
for name in ("s3", "rekognition", "dynamodb", "sqs", "events"):
    session.client(name)
"""
HANDLER = "import image_analysis.handler"
VARIABLES = {
    "AWS_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "PYTHONPATH": "lambda_src",
    "PYTHONDONTWRITEBYTECODE": "",
}


def figures() -> list[Figure]:
    """The ratio of the two, from 15 runs each."""
    seconds = medians(
        {"clients": ["-c", CLIENTS], "handler": ["-c", HANDLER]}, runs=15, environment=VARIABLES
    )
    return [
        Figure(
            "cold import of the image handler / boto3 with the same clients",
            seconds["handler"] / seconds["clients"],
            aim=1.15,
            detail=f"{seconds['handler']:.3f} s / {seconds['clients']:.3f} s, medians of 15",
        )
    ]

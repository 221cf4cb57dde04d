# pyright: reportMissingTypeStubs=false
"""The two commands of the AWS command line that run on a notebook instance, on the embedded AWS."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from rehearsal.local_session import LocalSession


def main(arguments: Sequence[str]) -> int:
    """Run a command: 0 if it went well, 254 if the service refused, as the AWS CLI does."""
    given = _parser().parse_args(arguments)
    credentials = (
        os.environ["AWS_ACCESS_KEY_ID"],
        os.environ["AWS_SECRET_ACCESS_KEY"],
        os.environ.get("AWS_SESSION_TOKEN"),
    )
    session = LocalSession(os.environ["AWS_ENDPOINT_URL"], given.region, credentials)
    try:
        given.run(session.client(given.service), given)
    except ClientError as error:
        print(error, file=sys.stderr)
        return 254
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("aws")
    services = parser.add_subparsers(dest="service", required=True)
    sagemaker = services.add_parser("sagemaker").add_subparsers(required=True)
    stop = sagemaker.add_parser("stop-notebook-instance")
    stop.add_argument("--notebook-instance-name", required=True)
    stop.set_defaults(run=_stop)
    cloudwatch = services.add_parser("cloudwatch").add_subparsers(required=True)
    put = cloudwatch.add_parser("put-metric-data")
    for name in ("namespace", "metric-name", "dimensions"):
        put.add_argument(f"--{name}", required=True)
    put.add_argument("--value", type=float, required=True)
    put.set_defaults(run=_put)
    for command in (stop, put):
        command.add_argument("--region", required=True)
    return parser


def _stop(client: Any, given: argparse.Namespace) -> None:
    client.stop_notebook_instance(NotebookInstanceName=given.notebook_instance_name)


def _put(client: Any, given: argparse.Namespace) -> None:
    pairs = [pair.partition("=") for pair in given.dimensions.split(",")]
    dimensions = [{"Name": name, "Value": value} for name, _, value in pairs]
    metric = {"MetricName": given.metric_name, "Value": given.value, "Dimensions": dimensions}
    client.put_metric_data(Namespace=given.namespace, MetricData=[metric])

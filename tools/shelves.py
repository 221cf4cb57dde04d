"""Shelves and orders of an environment: ``python -m tools.shelves plan|sales|waiting|replay``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
from boto3.dynamodb.conditions import Key
from botocore.exceptions import BotoCoreError, ClientError

import config
from tools.environment import outputs
from tools.replaying import WrongDocument, replay
from tools.shelf_files import Item, WrongFile, plan_items, sales_items

READ = {"plan": plan_items, "sales": sales_items}


def load(table: Any, items: list[Item]) -> int:
    """Write items to the retail table; return how many.

    Args:
        table: The table, a boto3 resource.
        items: What to write; an item that is there already is replaced.
    """
    with table.batch_writer() as batch:
        for item in items:
            batch.put_item(Item=item)
    return len(items)


def listed(table: Any) -> Iterator[dict[str, Any]]:
    """The readings that wait, the oldest first.

    Args:
        table: The table, a boto3 resource.
    """
    asked: dict[str, Any] = {
        "IndexName": "reviews",
        "KeyConditionExpression": Key("review").eq("waiting"),
    }
    while True:
        page = table.query(**asked)
        for keys in page["Items"]:
            found = table.get_item(Key={"pk": keys["pk"], "sk": keys["sk"]}, ConsistentRead=True)
            # The index follows the table a moment later.
            if found.get("Item", {}).get("review") == "waiting":
                yield found["Item"]
        if "LastEvaluatedKey" not in page:
            return
        asked["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def waiting(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say of readings that wait, a line each, what they wait for.

    Args:
        records: Readings, as the retail table holds them.
    """
    return [_waits(each) for each in records]


def _waits(reading: Mapping[str, Any]) -> str:
    head = f"{reading['store']}/{reading['aisle']} {reading['reading']}"
    numbers = range(1, int(reading["pictures"]) + 1)
    slots = {number: reading.get(f"picture_{number}") for number in numbers}
    parts = [
        f"picture {number}: "
        + ("has not come" if slot is None else f"{slot['decision']}, {'; '.join(slot['codes'])}")
        for number, slot in slots.items()
        if slot is None or slot["state"] == "wanted"
    ]
    return f"{head}: " + ("; ".join(parts) or "being counted")


def kept(s3: Any, bucket: str, prefix: str) -> Iterator[tuple[str, Any]]:
    """The kept documents below a prefix, with their names.

    Args:
        s3: A client.
        bucket: The data bucket.
        prefix: The folder.
    """
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", ()):
            body = s3.get_object(Bucket=bucket, Key=found["Key"])["Body"].read()
            yield found["Key"], json.loads(body)


def main(arguments: list[str] | None = None) -> str | None:
    """Run the command, with the AWS credentials in use unless it replays a folder.

    Args:
        arguments: Of the command line, for tests.

    Returns:
        What went wrong, in a sentence; None if nothing did.
    """
    given = _parser().parse_args(arguments)
    try:
        if given.command == "replay" and given.folder:
            paths = sorted(Path(given.folder).rglob("*.json"))
            return _replay((str(path), json.loads(path.read_text("utf-8"))) for path in paths)
        return _on_aws(given)
    except (
        config.ConfigurationError,
        BotoCoreError,
        ClientError,
        OSError,
        WrongFile,
        WrongDocument,
        json.JSONDecodeError,
    ) as error:
        return str(error)


def _on_aws(given: argparse.Namespace) -> str | None:
    # What is wrong with a file is said before anything is asked of AWS.
    items = READ[given.command](Path(given.file)) if given.command in READ else []
    settings = config.load(given.environment)
    session = boto3.Session(region_name=settings.region)
    found = outputs(session, settings.name, "foundation", "retail")
    table = session.resource("dynamodb").Table(found["RetailTableName"])
    if given.command in READ:
        print(f"{load(table, items)} written")
    elif given.command == "waiting":
        lines = waiting(listed(table))
        print("\n".join([*lines, f"{len(lines)} waiting"]))
    else:
        prefix = found["ReadingsPrefix"] + given.shelf
        return _replay(kept(session.client("s3"), found["DataBucketName"], prefix))
    return None


def _replay(documents: Iterator[tuple[str, Any]]) -> str | None:
    told = replay(documents)
    for line in told.different:
        print(line)
    print(f"{told.same} readings came to the same orders, {len(told.different)} to others")
    if told.unanswered:
        print(f"{told.unanswered} were never answered by the endpoint")
    return "some readings came to other orders" if told.different else None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tools.shelves", description="load what orders take, and look at readings"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    planning = commands.add_parser("plan", help="load which products belong on which shelf")
    selling = commands.add_parser("sales", help="load daily sales and promotions")
    for command in (planning, selling):
        command.add_argument("file", help="a CSV file; docs/retail.md names its columns")
    listing = commands.add_parser("waiting", help="readings that wait, and for what")
    again = commands.add_parser("replay", help="decide kept readings again, and compare")
    again.add_argument("--shelf", default="", help="only <store>/<aisle>/")
    again.add_argument("--folder", help="documents on this machine; then nothing else is needed")
    for command in (planning, selling, listing):
        command.add_argument("--environment", required=True, help="a name, or the path of a file")
    again.add_argument("--environment", help="a name, or the path of a file")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""Which queues are redriven: those that the stacks' outputs name, of the stacks that there are."""

from typing import Any

import botocore.session
import pytest
from botocore.stub import Stubber

from tools.redrive import redrive

MISSING = "Stack with id sagelens-dev-vision does not exist"


class Session:
    """A session whose clients answer what a test says, each call checked by botocore."""

    def __init__(self) -> None:
        made = botocore.session.Session()
        self.clients = {
            name: made.create_client(
                name, "eu-west-1", aws_access_key_id="testing", aws_secret_access_key="testing"
            )
            for name in ("cloudformation", "sqs")
        }
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()

    def client(self, name: str) -> Any:
        return self.clients[name]

    def stack(self, capability: str, **outputs: str) -> None:
        name = f"sagelens-dev-{capability}"
        stack = {
            "StackName": name,
            "CreationTime": "2026-11-23T00:00:00Z",
            "StackStatus": "CREATE_COMPLETE",
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in outputs.items()],
        }
        self.stubs["cloudformation"].add_response(
            "describe_stacks", {"Stacks": [stack]}, {"StackName": name}
        )

    def no_stack(self, message: str) -> None:
        self.stubs["cloudformation"].add_client_error("describe_stacks", "ValidationError", message)

    def move(self, dead: str, work: str) -> None:
        expected = {"SourceArn": dead, "DestinationArn": work}
        self.stubs["sqs"].add_response(
            "start_message_move_task", {"TaskHandle": f"{dead} to {work}"}, expected
        )


def test_every_dead_letter_queue_goes_back_to_its_own_queue() -> None:
    session = Session()
    session.stack("vision", ImageQueueArn="work", ImageDeadLetterQueueArn="dead", ImagePrefix="x/")
    session.stack("results", ImageRowsQueueArn="rows", ImageRowsDeadLetterQueueArn="rows-dead")
    session.stack(
        "training",
        ChurnDataStartQueueArn="data",
        ChurnDataStartDeadLetterQueueArn="data-dead",
        ChurnDriftStartQueueArn="drift",
        ChurnDriftStartDeadLetterQueueArn="drift-dead",
    )
    moves = (
        ("dead", "work"),
        ("rows-dead", "rows"),
        ("data-dead", "data"),
        ("drift-dead", "drift"),
    )
    for dead, work in moves:
        session.move(dead, work)
    assert redrive(session, "dev") == [
        "dead to work",
        "rows-dead to rows",
        "data-dead to data",
        "drift-dead to drift",
    ]


def test_a_stack_that_is_not_there_is_passed_over() -> None:
    session = Session()
    session.no_stack(MISSING)
    session.no_stack(MISSING)
    session.stack("training", ChurnPipelineName="x")
    assert redrive(session, "dev") == []


def test_another_error_is_not_hidden() -> None:
    session = Session()
    session.no_stack("User is not authorized to perform: cloudformation:DescribeStacks")
    with pytest.raises(Exception, match="not authorized"):
        redrive(session, "dev")

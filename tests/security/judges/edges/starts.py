"""Functions that make schedules at run time: what these will start, and with which rights."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.security.judges.edges.checks import Edge, check_role, check_role_key, role_of, unjudged
from tests.security.judges.edges.functions import execution_role
from tests.security.judges.findings import Finding
from tests.security.judges.nodes import Node
from tests.security.judges.resolver import World

MAKE_PAGE = "EventBridge Scheduler, Using identity-based policies in EventBridge Scheduler"
START_PAGE = "EventBridge Scheduler, Setting up the execution role"
KEY_PAGE = "EventBridge Scheduler, Encryption at rest in EventBridge Scheduler"
SERVICE = {"iam:passedtoservice": "scheduler.amazonaws.com"}


def findings(world: World) -> Iterator[Finding]:
    """Judge every function that is told in START what to start."""
    for function in world.of("AWS::Lambda::Function"):
        variables = world.properties(function).get("Environment", {}).get("Variables", {})
        if "START" in variables:
            yield from _start(world, function, json.loads(variables["START"]))


def _start(world: World, function: Node, told: Mapping[str, Any]) -> Iterator[Finding]:
    maker, starter = execution_role(world, function), role_of(world, told.get("role"))
    group = world.find(told.get("group"), "AWS::Scheduler::ScheduleGroup")
    pipeline = world.find(told.get("pipeline"), "AWS::SageMaker::Pipeline")
    queue = world.find(told.get("dead_letters"), "AWS::SQS::Queue")
    if maker is None or starter is None or group is None or pipeline is None or queue is None:
        yield unjudged(function, f"its START names what is not in these templates: {dict(told)}")
        return
    edge = Edge("function-to-schedule", function, group, world.arn(maker), MAKE_PAGE)
    name = told["schedule"] + ("-1" if told["mode"] == "data" else "")
    arn = world.arn(group).replace(":schedule-group/", ":schedule/") + f"/{name}"
    actions = ["CreateSchedule"]
    actions += ["GetSchedule", "UpdateSchedule"] if told["mode"] == "event" else []
    for action in actions:
        yield from check_role(world, edge, maker, f"scheduler:{action}", arn)
    passing = Edge("function-to-schedule", function, starter, world.arn(maker), MAKE_PAGE)
    yield from check_role(world, passing, maker, "iam:PassRole", context=SERVICE)
    making = ("kms:DescribeKey", "kms:GenerateDataKey", "kms:Decrypt")
    yield from check_role_key(world, edge, maker, making, "scheduler", told.get("key"))
    start = Edge("schedule-to-pipeline", function, pipeline, world.arn(starter), START_PAGE)
    yield from check_role(world, start, starter, "sagemaker:StartPipelineExecution")
    reading = Edge("schedule-to-pipeline", function, group, world.arn(starter), KEY_PAGE)
    yield from check_role_key(
        world, reading, starter, ("kms:Decrypt",), "scheduler", told.get("key")
    )
    kept = Edge("schedule-to-pipeline", function, queue, world.arn(starter), START_PAGE)
    yield from check_role(world, kept, starter, "sqs:SendMessage")
    yield from check_role_key(world, kept, starter, ("kms:Decrypt", "kms:GenerateDataKey"), "sqs")

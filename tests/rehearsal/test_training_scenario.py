"""The scenario passes on the deployed demo, and fails on one that does not keep its promise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rehearsal.deploy import deploy
from rehearsal.process import Rehearsal
from rehearsal.report.model import FigureCard
from rehearsal.scenarios import choose, training
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.waiting import until
from rehearsal.scenarios.training import FIGURES

STEPS = ["Prepare", "Train", "Evaluate", "Track", "Gate", "Register"]


@pytest.fixture(scope="module")
def context(assembly: Callable[[str], Path]) -> Iterator[Context]:
    """The demo environment, deployed onto an embedded AWS of its own."""
    with Rehearsal.start(samples=()) as aws:
        stacks = deploy(aws, assembly("demo"))
        merged = {name: value for found in stacks.values() for name, value in found.items()}
        yield Context(aws, merged, lambda _: None)


def test_training_passes_and_leaves_nothing_of_its_own(context: Context) -> None:
    (scenario,) = choose("training")
    outcome = scenario.run(context)
    assert list(outcome.problems) == []
    assert all(outcome.facts["checks"].values()) and len(outcome.facts["checks"]) == 6
    assert outcome.facts["executions"] == {
        "good": "Succeeded",
        "spoilt": "Failed",
        "refused": "Failed",
    }
    assert list(outcome.facts["steps"]) == STEPS
    assert outcome.facts["version"] == 1
    assert 0.8 < outcome.facts["auc"] < 0.9
    figures = [card for card in outcome.cards if isinstance(card, FigureCard)]
    assert len(figures) == len(FIGURES)
    queues = context.client("sqs").list_queues()["QueueUrls"]
    topic = context.outputs["AlarmTopicArn"]
    heard = context.client("sns").list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert not [url for url in queues if "rehearsal-watch" in url]
    assert not [each for each in heard if "rehearsal-watch" in each["Endpoint"]]


def test_a_gate_that_lets_all_pass_and_a_silent_topic_are_noticed(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The topic will say nothing: no need to listen for long.
    monkeypatch.setattr(training, "until", lambda look, what, seconds: until(look, what, 2))
    client, name = context.client("sagemaker"), context.outputs["ChurnPipelineName"]
    definition = client.describe_pipeline(PipelineName=name)["PipelineDefinition"]
    bound = '"RightValue":{"Get":"Parameters.Least"}'
    assert definition.count(bound) == 1
    client.update_pipeline(
        PipelineName=name, PipelineDefinition=definition.replace(bound, '"RightValue":0')
    )
    events = context.client("events")
    rules = events.list_rules(NamePrefix="sagelens-demo-training")["Rules"]
    patterns = {each["Name"]: each["EventPattern"] for each in rules if "EventPattern" in each}
    (rule,) = [
        name
        for name, pattern in patterns.items()
        if "Execution Status Change" in pattern and "churn" in pattern
    ]
    events.disable_rule(Name=rule)
    (scenario,) = choose("training")
    problems = "\n".join(scenario.run(context).problems)
    assert "A model below the gate is not registered, and the run says why: Succeeded" in problems
    assert "The alarm topic tells how each run ended: told: []" in problems
    assert len(problems.splitlines()) == 2

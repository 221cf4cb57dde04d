"""Every kind of wrong field of hosting, its place, and the words that answer it."""

import json
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import botocore.session
import pytest

import config
from config import drift as drift_settings
from config import hosting
from config.instances import HOSTING, TRANSFORM
from ml_src.shared.drift.thresholds import Thresholds
from ml_src.shared.failure import JobError

RefusedOnce = Callable[..., None]
Refused = Callable[[str | bytes], config.ConfigurationError]

TRAINED = "{algorithm: xgboost, data_prefix: a/, gate: {metric: m, at_least: 0}}"
TEST = "smoke_test: {answer_path: $.a}"
TWO = "capacity: {instances: {instance_count: 2}}"


def whole(text: str, models: str = f"{{churn: {TRAINED}}}") -> str:
    """Return YAML whose line 4 begins the settings of hosting."""
    return f"name: x\ntraining: {{models: {models}}}\nhosting:\n{text}"


def endpoint(more: str, test: str = TEST) -> str:
    """Return YAML whose line 6 holds the settings of an endpoint."""
    return whole(f"  models:\n    churn:\n      {{{test}, {more}}}\n")


def instances(more: str) -> str:
    """Return YAML whose line 6 holds an endpoint on instances."""
    return endpoint(f"capacity: {{instances: {{{more}}}}}")


def shifted(way: str) -> str:
    """Return YAML whose line 6 holds an endpoint on two instances that shifts in some way."""
    return endpoint(f"{TWO}, deployment: {{{way}}}")


def drift(more: str) -> str:
    """Return YAML whose line 6 holds an endpoint with a drift watch."""
    return endpoint(f"{TWO}, capture_percent: 1, drift: {{{more}}}")


def batch(more: str) -> str:
    """Return YAML whose line 6 holds an endpoint with batch scoring."""
    return endpoint(f"batch: {{{more}}}")


AT = "hosting.models.churn"
BATCH = f"{AT}.batch"
MONITORED = "account_features: {model_monitor: true}\n"
CAPACITY = f"{AT}.capacity"
SCALING = f"{CAPACITY}.instances.scaling"
DEPLOYMENT = f"{AT}.deployment"

# A row is one kind of error: YAML, the line and path of its only error, then words in it.
CASES = {
    "no models": (
        whole("  models: {}"), "4", "hosting.models:", "no model is given", "or hosting: null"
    ),
    "models missing": ("name: x\nhosting: {}", "2", "hosting.models:", "is required"),
    "model that is not trained": (
        whole(f"  models: {{chrun: {{{TEST}}}}}"),
        "4",
        "hosting.models.chrun:",
        "is no model of training; did you mean churn?",
    ),
    "model without any training": (
        f"name: x\nhosting:\n  models: {{churn: {{{TEST}}}}}",
        "3",
        "hosting.models.churn:",
        "is no model of training",
        "hosting: null",
    ),
    "name of a model": (
        whole(f"  models: {{Churn_1: {{{TEST}}}}}"), "4", "hosting.models.Churn_1:", "lower-case"
    ),
    "no capacity": (
        endpoint("capacity: {}"),
        "6",
        CAPACITY + ":",
        "has none of its kinds",
        "serverless, instances",
    ),
    "two capacities": (
        endpoint("capacity: {serverless: {}, instances: {}}"),
        "6",
        CAPACITY + ":",
        "has 2 of its kinds",
    ),
    "null capacity": (
        endpoint("capacity: {serverless: null}"),
        "6",
        CAPACITY + ".serverless:",
        "null could mean there or not",
        "{} for its defaults",
    ),
    "kind of capacity": (
        endpoint("capacity: {serverles: {}}"),
        "6",
        CAPACITY + ".serverles:",
        "did you mean serverless?",
    ),
    "memory": (
        endpoint("capacity: {serverless: {memory_mb: 1500}}"),
        "6",
        CAPACITY + ".serverless.memory_mb:",
        "1024, 2048, 3072, 4096, 5120, 6144",
    ),
    "concurrency": (
        endpoint("capacity: {serverless: {max_concurrency: 201}}"),
        "6",
        CAPACITY + ".serverless.max_concurrency:",
        "1 to 200",
    ),
    "more warm than allowed": (
        endpoint("capacity: {serverless: {max_concurrency: 3, provisioned_concurrency: 4}}"),
        "6",
        CAPACITY + ".serverless.provisioned_concurrency:",
        "more than max_concurrency (3)",
        "from 1 to 3",
    ),
    "serverless with capture": (
        endpoint("capture_percent: 100"),
        "6",
        AT + ".capture_percent:",
        "is not for a serverless endpoint",
        "null; or instances",
    ),
    "serverless and isolated": (
        endpoint("network_isolation: true"),
        "6",
        AT + ".network_isolation:",
        "is not for a serverless endpoint",
        "false or null; or instances",
    ),
    "serverless in a network": (
        endpoint("in_network: true") + "network: {}\n",
        "6",
        AT + ".in_network:",
        "is not for a serverless endpoint",
    ),
    "serverless canary": (
        endpoint("deployment: {canary: {}}"),
        "6",
        DEPLOYMENT + ".canary:",
        "is not for a serverless endpoint",
        "all_at_once; or instances",
    ),
    "in a network that is not there": (
        endpoint(f"{TWO}, in_network: true"),
        "6",
        AT + ".in_network:",
        "there is none",
        "or a network",
    ),
    "instance type": (
        instances("instance_type: ml.m5.lrage"),
        "6",
        CAPACITY + ".instances.instance_type:",
        "did you mean ml.m5.large?",
        "for endpoints",
    ),
    "instance type that only trains": (
        instances("instance_type: ml.c5n.xlarge"),
        "6",
        CAPACITY + ".instances.instance_type:",
        "is unknown",
    ),
    "no instance": (
        instances("instance_count: 0"), "6", CAPACITY + ".instances.instance_count:", "1 to 1,000"
    ),
    "scaling without a bound": (
        instances("scaling: {invocations_per_instance: 1}"), "6", SCALING + ".most:", "is required"
    ),
    "scaling below the start": (
        instances("instance_count: 3, scaling: {most: 2, invocations_per_instance: 1}"),
        "6",
        SCALING + ".most:",
        "less than instance_count (3)",
        "from 3",
    ),
    "scaling above the start": (
        instances("scaling: {least: 2, most: 3, invocations_per_instance: 1}"),
        "6",
        SCALING + ".least:",
        "more than instance_count (1)",
        "from 1 to 1",
    ),
    "scaling by nothing": (
        instances("scaling: {most: 2, invocations_per_instance: 0}"),
        "6",
        SCALING + ".invocations_per_instance:",
        "above 0",
    ),
    "pause": (
        instances("scaling: {most: 2, invocations_per_instance: 1, scale_in_seconds: 3601}"),
        "6",
        SCALING + ".scale_in_seconds:",
        "0 to 3,600",
    ),
    "scaling of burstable instances": (
        instances(
            "instance_type: ml.t2.medium, scaling: {most: 2, invocations_per_instance: 1}"
        ),
        "6",
        SCALING + ":",
        "burstable instances such as ml.t2.medium",
    ),
    "canary of one instance": (
        endpoint("capacity: {instances: {}}, deployment: {canary: {}}"),
        "6",
        DEPLOYMENT + ".canary:",
        "there may be 1 only",
        "2 instances or more",
    ),
    "linear that scales down to one instance": (
        endpoint(
            "capacity: {instances: {instance_count: 2, scaling: {least: 1, most: 2, "
            "invocations_per_instance: 1}}}, deployment: {linear: {}}"
        ),
        "6",
        DEPLOYMENT + ".linear:",
        "there may be 1 only",
    ),
    "two ways of shifting": (
        shifted("canary: {}, linear: {}"), "6", DEPLOYMENT + ":", "has 2 of its kinds"
    ),
    "part of a canary": (
        shifted("canary: {percent: 51}"), "6", DEPLOYMENT + ".canary.percent:", "1 to 50"
    ),
    "step of a line": (
        shifted("linear: {percent: 9}"), "6", DEPLOYMENT + ".linear.percent:", "10 to 50"
    ),
    "bake": (
        shifted("canary: {bake_seconds: 3601}"),
        "6",
        DEPLOYMENT + ".canary.bake_seconds:",
        "0 to 3,600",
    ),
    "longest deployment": (
        shifted("all_at_once: {timeout_seconds: 599}"),
        "6",
        DEPLOYMENT + ".all_at_once.timeout_seconds:",
        "600 to 28,800",
    ),
    "waits longer than allowed": (
        shifted("canary: {bake_seconds: 300, timeout_seconds: 600}"),
        "6",
        DEPLOYMENT + ".canary.bake_seconds:",
        "600 seconds of waiting",
        "a longer timeout_seconds",
    ),
    "waits longer than SageMaker allows": (
        shifted("linear: {percent: 10, bake_seconds: 3600}"),
        "6",
        DEPLOYMENT + ".linear.bake_seconds:",
        "39600 seconds of waiting",
        "less than 28800",
    ),
    "capture": (endpoint(f"{TWO}, capture_percent: 0"), "6", AT + ".capture_percent:", "1 to 100"),
    "threshold": (
        endpoint("thresholds: {errors: 0}"), "6", AT + ".thresholds.errors:", "1 to 1,000,000"
    ),
    "utilization": (
        endpoint("thresholds: {utilization_percent: 101}"),
        "6",
        AT + ".thresholds.utilization_percent:",
        "1 to 100",
    ),
    "requests kept too long": (
        endpoint(f"{TWO}, capture_days: 3651"), "6", AT + ".capture_days:", "1 to 3,650"
    ),
    "requests deleted before the watch looks": (
        endpoint(f"{TWO}, capture_percent: 1, capture_days: 3, drift: {{hours: 48}}"),
        "6",
        AT + ".capture_days:",
        "before the drift watch has looked at them",
        "from 4 to 3,650",
    ),
    "requests deleted before the latest watch looks": (
        endpoint(
            f"{TWO}, capture_percent: 1, drift: {{hours: 744, delay_minutes: 129600}}"
        ),
        "5",
        AT + ".capture_days:",
        "from 123 to 3,650; or a shorter period or delay",
    ),
    "folder of a batch": (batch("prefix: /in/"), "6", BATCH + ".prefix:", "folder names"),
    "batch that would train": (
        batch("prefix: a/b/"), "6", BATCH + ".prefix:", "overlaps with a/, the folder of training"
    ),
    "batch of the data of training": (
        endpoint("batch: {}").replace("data_prefix: a/", "data_prefix: churn/batch/2026/"),
        "6",
        BATCH + ".prefix:",
        "is churn/batch/, which overlaps with churn/batch/2026/",
        "a folder beside it",
    ),
    "batch of labels": (
        drift("labels_prefix: churn/batch/labels/}, batch: {"),
        "6",
        BATCH + ".prefix:",
        "the folder of labels",
    ),
    "identifiers without columns": (
        batch("content_type: application/jsonlines, identifiers: 1"),
        "6",
        BATCH + ".identifiers:",
        "counts columns",
        "0; or text/csv",
    ),
    "schedule of a batch": (
        batch("schedule: daily"), "6", BATCH + ".schedule:", "neither a rate nor a cron"
    ),
    "results kept for no day": (batch("result_days: 0"), "6", BATCH + ".result_days:", "1 to"),
    "instance type of a batch": (
        batch("job: {instance_type: ml.t3.medium}"),
        "6",
        BATCH + ".job.instance_type:",
        "for batch transform",
    ),
    "time of a batch": (
        batch("job: {max_runtime_seconds: 59}"), "6", BATCH + ".job.max_runtime_seconds:", "60 to"
    ),
    "Model Monitor without features": (
        drift("") + MONITORED, "6", AT + ".drift.features:", "names no feature", "model_monitor"
    ),
    "Model Monitor every week": (
        drift("features: [a], schedule: rate(7 days)") + MONITORED,
        "6",
        AT + ".drift.schedule:",
        "is nothing that Model Monitor can keep to",
        "rate(1 hour)",
    ),
    "feature": (drift("features: [a b]"), "6", AT + ".drift.features[0]:", "name of a feature"),
    "drift without capture": (
        endpoint(f"{TWO}, drift: {{}}"),
        "6",
        AT + ".drift:",
        "looks at captured requests, and none are kept",
        "or a capture_percent",
    ),
    "schedule of the watch": (
        drift("schedule: daily"), "6", AT + ".drift.schedule:", "neither a rate nor a cron"
    ),
    "period": (drift("hours: 745"), "6", AT + ".drift.hours:", "1 to 744"),
    "delay": (drift("delay_minutes: 4"), "6", AT + ".drift.delay_minutes:", "5 to 129,600"),
    "settling": (drift("settle_minutes: 1441"), "6", AT + ".drift.settle_minutes:", "0 to 1,440"),
    "threshold of drift": (
        drift("thresholds: {ksi: 1}"), "6", AT + ".drift.thresholds.ksi:", "did you mean ks?"
    ),
    "height of a threshold": (
        drift("thresholds: {ks: 2}"), "6", AT + ".drift.thresholds.ks:", "a number from 0 to 1"
    ),
    "half a row": (
        drift("thresholds: {least_rows: 2.5}"),
        "6",
        AT + ".drift.thresholds.least_rows:",
        "a whole number from 1",
    ),
    "group": (drift("groups: ['a=b=c']"), "6", AT + ".drift.groups[0]:", "SeniorCitizen=1"),
    "group twice": (drift("groups: [a, a]"), "6", AT + ".drift.groups[1]:", "already in the list"),
    "labels among data": (
        drift("labels_prefix: a/labels/"),
        "6",
        AT + ".drift.labels_prefix:",
        "lies in data_prefix (a/)",
        "a folder beside it",
    ),
    "no smoke test": (
        whole("  models: {churn: {}}"), "4", AT + ".smoke_test:", "is required"
    ),
    "path of the answer": (
        endpoint("capture_percent: null", 'smoke_test: {answer_path: "predictions[0]"}'),
        "6",
        AT + ".smoke_test.answer_path:",
        "$.predictions[0].score",
    ),
    "bounds of the answer": (
        endpoint("capture_percent: null", "smoke_test: {answer_path: $.a, least: 2}"),
        "6",
        AT + ".smoke_test.most:",
        "less than least (2)",
    ),
    "sample in another folder": (
        endpoint("capture_percent: null", "smoke_test: {answer_path: $.a, sample: ../x.csv}"),
        "6",
        AT + ".smoke_test.sample:",
        "a file in ml_src/<model>",
    ),
    "content type": (
        endpoint("capture_percent: null", "smoke_test: {answer_path: $.a, content_type: csv}"),
        "6",
        AT + ".smoke_test.content_type:",
        "text/csv",
    ),
    "keeps nothing": (
        whole(f"  release: {{keep: 0}}\n  models: {{churn: {{{TEST}}}}}"),
        "4",
        "hosting.release.keep:",
        "1 to 50",
    ),
    "looks too often": (
        whole(f"  release: {{poll_seconds: 27}}\n  models: {{churn: {{{TEST}}}}}"),
        "4",
        "hosting.release.poll_seconds:",
        "too often for 8 hours",
        "from 28 to 300",
    ),
    "gives up at once": (
        whole(f"  release: {{timeout_hours: 0.1}}\n  models: {{churn: {{{TEST}}}}}"),
        "4",
        "hosting.release.timeout_hours:",
        "0.25 to 24",
    ),
    "key of another section": (
        "name: x\nrelease: {}", "2", "release:", "did you mean hosting.release?"
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_refused(case: tuple[str, ...], refused_once: RefusedOnce) -> None:
    text, line, path, *parts = case
    refused_once(text, line, path, *parts)


def test_everything_that_serverless_lacks_is_said_at_once(refused: Refused) -> None:
    more = "capture_percent: 5, network_isolation: true, in_network: true, deployment: {linear: {}}"
    error = refused(endpoint(more) + "network: {}\n")
    assert sorted(one.path[-1] for one in error.problems) == [
        "capture_percent",
        "in_network",
        "linear",
        "network_isolation",
    ]


def test_what_follows_from_an_error_is_not_said(refused_once: RefusedOnce) -> None:
    """With the count it would be known whether a canary has instances enough."""
    text = endpoint("capacity: {instances: {instance_count: two}}, deployment: {canary: {}}")
    refused_once(text, "6", CAPACITY + ".instances.instance_count:", "not a whole number")


def loaded(folder: Path, text: str) -> config.EndpointSettings:
    """Return the settings of the endpoint in a text that is right."""
    path = folder / "own.yaml"
    path.write_text(text)
    settings = config.load(path).hosting
    assert settings is not None
    return settings.models["churn"]


def test_by_default_nothing_bills_while_idle(tmp_path: Path) -> None:
    one = loaded(tmp_path, endpoint("thresholds: {}"))
    assert one.serverless
    assert one.capacity.serverless == hosting.ServerlessSettings()
    assert one.deployment.all_at_once == hosting.AllAtOnceSettings()
    assert (one.capture_percent, one.isolated) == (None, False)


def test_instances_are_isolated_unless_one_says_otherwise(tmp_path: Path) -> None:
    assert loaded(tmp_path, endpoint(TWO)).isolated
    assert not loaded(tmp_path, endpoint(f"{TWO}, network_isolation: false")).isolated


@pytest.mark.parametrize("name", drift_settings.THRESHOLDS)
@pytest.mark.parametrize("value", [-1, 0, 0.5, 1, 2, 100, 101, 1_000_000_000])
def test_thresholds_are_refused_as_the_job_refuses_them(name: str, value: float) -> None:
    given = {"thresholds": {name: value}}
    try:
        kept = drift_settings.DriftSettings.model_validate(given).thresholds
    except ValueError:
        with pytest.raises(JobError):
            Thresholds.parse(json.dumps({name: value}))
    else:
        Thresholds.parse(json.dumps(dict(kept)))


def test_the_configurations_thresholds_are_the_jobs() -> None:
    assert set(drift_settings.THRESHOLDS) == {field.name for field in fields(Thresholds)}


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        ("rate(1 hour)", "cron(0 * ? * * *)"),
        ("rate(1 day)", "cron(0 0 ? * * *)"),
        ("cron(0 * * * ? *)", "cron(0 * ? * * *)"),
        ("cron(0 2 * * ? *)", "cron(0 2 ? * * *)"),
        ("cron(0 17/12 ? * * *)", "cron(0 17/12 ? * * *)"),
        ("cron(30 2 * * ? *)", None),
        ("cron(0 2 ? * MON *)", None),
        ("rate(2 hours)", None),
    ],
)
def test_model_monitor_keeps_to_schedules_on_the_hour(schedule: str, expected: str | None) -> None:
    assert drift_settings.DriftSettings(schedule=schedule).monitor_schedule == expected


@pytest.mark.parametrize(
    ("hours", "delay_minutes", "days"),
    [(1, 5, 2), (24, 60, 3), (22, 60, 2), (22, 61, 3), (744, 129_600, 123)],
)
def test_requests_stay_until_the_latest_look(hours: int, delay_minutes: int, days: int) -> None:
    watch = drift_settings.DriftSettings(hours=hours, delay_minutes=delay_minutes)
    assert watch.least_days == days
    # Of a look that starts a day late, the period's first request.
    oldest = hours + 1 + delay_minutes / 60 + 24
    assert 24 * (days - 1) < oldest <= 24 * days


def test_there_is_no_hosting_by_default(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text("name: x\n")
    assert config.load(path).hosting is None


def test_instance_types_are_those_that_the_pinned_botocore_knows() -> None:
    service: Any = botocore.session.get_session().get_service_model("sagemaker")
    assert set(HOSTING) == set(service.shape_for("ProductionVariantInstanceType").enum)
    assert set(TRANSFORM) == set(service.shape_for("TransformInstanceType").enum)


def test_bounds_are_those_that_the_pinned_botocore_knows() -> None:
    service: Any = botocore.session.get_session().get_service_model("sagemaker")
    memory = service.shape_for("ServerlessMemorySizeInMB").metadata
    assert (memory["min"], memory["max"]) == (min(hosting.MEMORY_SIZES), max(hosting.MEMORY_SIZES))
    longest = service.shape_for("MaximumExecutionTimeoutInSeconds").metadata
    assert (longest["min"], longest["max"]) == (600, hosting.LONGEST_DEPLOYMENT)

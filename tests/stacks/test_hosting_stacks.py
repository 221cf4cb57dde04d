"""What the stacks of releases and of hosting make of their settings."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app
import config
from config.batch import BatchSettings
from config.hosting import BURSTABLE, EVENTS_A_LOOK, LONGEST_DEPLOYMENT, MEMORY_SIZES, MOST_EVENTS
from sagelens import endpoint_rules, release
from sagelens.batch_scoring import JOB_NAME
from sagelens.endpoint_options import Variant
from stacks.batch_stack import records_of
from stacks.hosting_checks import LARGEST_SAMPLE, problems
from stacks.hosting_plans import (
    VARIANT,
    HostingNames,
    capacity_of,
    deployment_of,
    thresholds_of,
)
from tests.constructs.hosting.test_judges import known
from tests.security.judges import cfn_lint, cloudformation, iam
from tests.security.judges.findings import listing
from tests.security.judges.templates import read_assembly

TEST = 'smoke_test: {answer_path: "$.predictions[0].churn_probability"}'
GATE = "gate: {metric: a.b, at_least: 0.5}"
MODEL = f"{{algorithm: xgboost-script, data_prefix: churn/customers/, {GATE}}}"
SEVERAL = "capacity: {instances: {instance_count: 2}}"


def text(endpoint: str = "", *, more: str = "", release: str = "{}", name: str = "x") -> str:
    """An environment file whose churn model is hosted so."""
    settings = f"{{{TEST}{', ' if endpoint else ''}{endpoint}}}"
    return (
        f"name: {name}\nvision: null\n{more}"
        f"training: {{experiments: false, models: {{churn: {MODEL}}}}}\n"
        f"hosting:\n  release: {release}\n  models:\n    churn: {settings}\n"
    )


def synthesized(folder: Path, given: str) -> cdk.cx_api.CloudAssembly:
    """The assembly of an environment file."""
    folder.mkdir(exist_ok=True)
    path = folder / "own.yaml"
    path.write_text(given)
    settings = config.load(path, check=problems)
    return app.compose(app.new_app(outdir=str(folder / "out")), settings).synth()


def hosting(assembly: cdk.cx_api.CloudAssembly, name: str = "x") -> dict[str, Any]:
    """The template of the hosting stack."""
    return assembly.get_stack_by_name(f"sagelens-{name}-hosting-churn").template


def of(template: dict[str, Any], type: str) -> list[dict[str, Any]]:
    """All resources of a type."""
    return [one for one in template["Resources"].values() if one["Type"] == type]


def machine(assembly: cdk.cx_api.CloudAssembly) -> str:
    """The definition of the state machine, as text."""
    template = assembly.get_stack_by_name("sagelens-x-releases").template
    (found,) = of(template, "AWS::StepFunctions::StateMachine")
    return json.dumps(found["Properties"]["DefinitionString"])


def test_the_release_finds_by_name_what_the_hosting_stack_holds(tmp_path: Path) -> None:
    """The two know each other by names alone, which nothing but this compares."""
    assembly = synthesized(tmp_path, text(SEVERAL))
    template, told = hosting(assembly), machine(assembly)
    (endpoint,) = of(template, "AWS::SageMaker::Endpoint")
    (configuration,) = [
        name
        for name, one in template["Resources"].items()
        if one["Type"] == "AWS::SageMaker::EndpointConfig"
    ]
    assert endpoint["Properties"]["EndpointName"] == "sagelens-x-churn"
    rolling_back = [
        template["Resources"][one["AlarmName"]["Ref"]]["Properties"]["AlarmName"]
        for one in endpoint["Properties"]["DeploymentConfig"]["AutoRollbackConfiguration"]["Alarms"]
    ]
    assert len(rolling_back) == 2
    for name in (
        "sagelens-x-churn",
        "sagelens-x-hosting-churn",
        configuration,
        template["Parameters"]["LiveVersion"]["Default"],
        *rolling_back,
    ):
        assert f'\\"{name}\\"' in told, name


def test_no_template_holds_a_version_and_the_parameter_is_made_before(tmp_path: Path) -> None:
    assembly = synthesized(tmp_path, text())
    parameter = hosting(assembly)["Parameters"]["LiveVersion"]
    assert parameter["Type"] == "AWS::SSM::Parameter::Value<String>"
    assert parameter["Default"] == "/sagelens/x/live/churn"
    releases = assembly.get_stack_by_name("sagelens-x-releases")
    (custom,) = of(releases.template, "Custom::SagelensLiveVersion")
    assert custom["Properties"]["Name"] == parameter["Default"]
    assert custom["Properties"]["Tags"]["sagelens:environment"] == "x"
    assert "AWS::SSM::Parameter" not in {
        one["Type"] for one in releases.template["Resources"].values()
    }
    stack = assembly.get_stack_by_name("sagelens-x-hosting-churn")
    assert releases.id in [one.id for one in stack.dependencies]


def test_nothing_imports_from_a_hosting_stack_and_it_makes_no_role(tmp_path: Path) -> None:
    """A release updates it with its own template: an export in use would hold it up."""
    template = hosting(synthesized(tmp_path, text(f"{SEVERAL}, capture_percent: 5")))
    assert not [name for name, one in template["Outputs"].items() if "Export" in one]
    types = {one["Type"] for one in template["Resources"].values()}
    assert types == {
        "AWS::CloudWatch::Alarm",
        "AWS::CloudWatch::Dashboard",
        "AWS::Logs::LogGroup",
        "AWS::SageMaker::Endpoint",
        "AWS::SageMaker::EndpointConfig",
        "AWS::SageMaker::Model",
        "Custom::SagelensScaling",
    }


def test_serverless_has_no_scaling_function_and_stays_outside_a_network(tmp_path: Path) -> None:
    assembly = synthesized(tmp_path, text(more="network: {}\n"))
    releases = assembly.get_stack_by_name("sagelens-x-releases").template
    assert len(of(releases, "AWS::Lambda::Function")) == 1
    (model,) = of(hosting(assembly), "AWS::SageMaker::Model")
    assert "VpcConfig" not in model["Properties"]
    assert model["Properties"]["EnableNetworkIsolation"] is False


@pytest.mark.parametrize(
    ("more", "chosen", "inside", "isolated"),
    [
        ("network: {}\n", "", True, True),
        ("network: {}\n", ", in_network: false", False, True),
        ("network: {}\n", ", network_isolation: false", True, False),
        ("", "", False, True),
    ],
)
def test_instances_are_in_the_network_and_cut_off(
    more: str, chosen: str, inside: bool, isolated: bool, tmp_path: Path
) -> None:
    assembly = synthesized(tmp_path, text(SEVERAL + chosen, more=more))
    (model,) = of(hosting(assembly), "AWS::SageMaker::Model")
    assert ("VpcConfig" in model["Properties"]) is inside
    assert model["Properties"]["EnableNetworkIsolation"] is isolated
    releases = json.dumps(assembly.get_stack_by_name("sagelens-x-releases").template)
    assert ("ec2:CreateNetworkInterface" in releases) is inside


def test_captured_requests_lie_apart_from_what_starts_training(tmp_path: Path) -> None:
    assembly = synthesized(tmp_path, text(f"{SEVERAL}, capture_percent: 25"))
    template = hosting(assembly)
    (configuration,) = of(template, "AWS::SageMaker::EndpointConfig")
    capture = configuration["Properties"]["DataCaptureConfig"]
    assert capture["InitialSamplingPercentage"] == 25
    assert "/churn/captured" in json.dumps(capture["DestinationS3Uri"])
    assert "ModelsBucket" in json.dumps(capture["DestinationS3Uri"])
    output = template["Outputs"]["ChurnCapturedPrefix"]["Value"]
    assert output == "churn/captured/sagelens-x-churn/"


def test_thresholds_are_those_of_the_settings(tmp_path: Path) -> None:
    wanted = "thresholds: {errors: 7, latency_ms: 250, bad_requests: 9, utilization_percent: 55}"
    alarms = of(
        hosting(synthesized(tmp_path, text(f"{SEVERAL}, {wanted}"))), "AWS::CloudWatch::Alarm"
    )
    found = {one["Properties"]["MetricName"]: one["Properties"]["Threshold"] for one in alarms}
    assert found == {
        "Invocation5XXErrors": 7,
        "ModelLatency": 250_000,
        "Invocation4XXErrors": 9,
        "CPUUtilization": 55,
        "MemoryUtilization": 55,
    }


def test_the_release_keeps_its_pace(tmp_path: Path) -> None:
    told = machine(
        synthesized(tmp_path, text(release="{poll_seconds: 7, timeout_hours: 0.5, keep: 2}"))
    )
    assert '\\"Seconds\\":7' in told
    assert '\\"TimeoutSeconds\\":1800' in told


WATCHED = f"{SEVERAL}, capture_percent: 100, drift: "


def test_the_watch_finds_by_name_what_the_endpoint_captures_and_releases_write(
    tmp_path: Path,
) -> None:
    assembly = synthesized(tmp_path, text(WATCHED + "{groups: [gender], thresholds: {psi: 0.3}}"))
    template = assembly.get_stack_by_name("sagelens-x-drift").template
    (found,) = of(template, "AWS::StepFunctions::StateMachine")
    told = json.dumps(found["Properties"]["DefinitionString"])
    endpoint = hosting(assembly)
    captured = endpoint["Outputs"]["ChurnCapturedPrefix"]["Value"]
    assert f"{captured}main/" in told
    assert endpoint["Parameters"]["LiveVersion"]["Default"] in told
    for words in ("ml_src.churn.capture", "gender", "psi", "churn/drift/", "sagelens.drift"):
        assert words in told, words
    (dashboard,) = of(endpoint, "AWS::CloudWatch::Dashboard")
    assert "sagelens-x-churn-drift" in json.dumps(dashboard)
    assert not any("Export" in one for one in template["Outputs"].values())


MONITORED = "account_features: {model_monitor: true}\n"


@pytest.fixture(scope="module")
def monitored(tmp_path_factory: pytest.TempPathFactory) -> cdk.cx_api.CloudAssembly:
    """The assembly of an environment whose account has Model Monitor."""
    given = text(WATCHED + "{features: [tenure], job: {instance_type: ml.m5.xlarge}}")
    return synthesized(tmp_path_factory.mktemp("monitored"), f"{MONITORED}network: {{}}\n{given}")


def test_model_monitor_takes_the_place_of_the_watch_by_one_switch(
    monitored: cdk.cx_api.CloudAssembly,
) -> None:
    assert "sagelens-x-drift" not in {stack.stack_name for stack in monitored.stacks}
    template = hosting(monitored)
    (schedule,) = of(template, "AWS::SageMaker::MonitoringSchedule")
    (job,) = of(template, "AWS::SageMaker::DataQualityJobDefinition")
    assert schedule["Condition"] == job["Condition"]
    assert schedule["Condition"].startswith("LiveExists")
    assert schedule["Properties"]["MonitoringScheduleName"] == "sagelens-x-churn-monitor"
    when = schedule["Properties"]["MonitoringScheduleConfig"]["ScheduleConfig"]
    assert when == {"ScheduleExpression": "cron(0 2 ? * * *)"}
    properties = job["Properties"]
    assert properties["DataQualityJobInput"]["EndpointInput"]["EndpointName"] == "sagelens-x-churn"
    assert properties["JobResources"]["ClusterConfig"]["InstanceType"] == "ml.m5.xlarge"
    assert "churn/monitor/baseline/" in json.dumps(properties["DataQualityBaselineConfig"])
    (dashboard,) = of(template, "AWS::CloudWatch::Dashboard")
    assert "feature_baseline_drift_tenure" in json.dumps(dashboard)
    # A release updates the stack with its own template: it makes no role.
    assert not of(template, "AWS::IAM::Role")


def test_a_release_may_make_the_schedule_that_the_template_names(
    monitored: cdk.cx_api.CloudAssembly,
) -> None:
    """The two know each other by names alone, which nothing but this compares."""
    (job,) = [
        name
        for name, one in hosting(monitored)["Resources"].items()
        if one["Type"] == "AWS::SageMaker::DataQualityJobDefinition"
    ]
    releases = monitored.get_stack_by_name("sagelens-x-releases").template
    (role,) = [
        one["Properties"]
        for one in of(releases, "AWS::IAM::Role")
        if "CloudFormation, when" in one["Properties"].get("Description", "")
    ]
    given = {
        one["Sid"]: json.dumps(one["Resource"])
        for one in role["Policies"][0]["PolicyDocument"]["Statement"]
    }
    assert ":monitoring-schedule/sagelens-x-churn-monitor" in given["KeepMonitor"]
    assert f":data-quality-job-definition/{job}*" in given["KeepMonitorJobs"]
    assert "MonitorRole" in given["PassEndpointRole"]
    for name in ("monitoring-schedule", "data-quality-job-definition"):
        assert name in given["Tag"]


def test_the_judges_find_nothing_where_model_monitor_watches(
    monitored: cdk.cx_api.CloudAssembly,
) -> None:
    templates = read_assembly(Path(monitored.directory))
    stacks = ("sagelens-x-releases", "sagelens-x-hosting-churn")
    some = [one for one in templates if one.stack in stacks]
    found = [
        *(one for one in iam.judge(templates) if one.resource.startswith(stacks)),
        *cfn_lint.judge(some, ["us-east-1", "eu-central-1"]),
        *cloudformation.judge(some),
    ]
    left = [one for one in found if not known(one)]
    assert not left, listing(left)


def test_a_region_without_model_monitor_is_refused(tmp_path: Path) -> None:
    given = MONITORED + "region: us-gov-west-1\n" + text(WATCHED + "{features: [tenure]}")
    ((line, path, words),) = refused(tmp_path, given)
    assert (line, path) == (1, "account_features.model_monitor")
    assert "which us-gov-west-1 lacks; false" in words


def expiring(assembly: cdk.cx_api.CloudAssembly) -> dict[str, tuple[int, int]]:
    """After how many days objects of the models bucket expire, and then go, by their prefix."""
    template = assembly.get_stack_by_name("sagelens-x-foundation").template
    rules = [
        rule
        for bucket in of(template, "AWS::S3::Bucket")
        for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]
        if rule.get("Prefix", "").startswith("churn/")
    ]
    return {
        rule["Prefix"]: (
            rule["ExpirationInDays"],
            rule["NoncurrentVersionExpiration"]["NoncurrentDays"],
        )
        for rule in rules
    }


def test_what_customers_sent_and_got_expires_for_good(tmp_path: Path) -> None:
    given = text(f"{SEVERAL}, capture_percent: 5, capture_days: 7, batch: {{result_days: 9}}")
    assembly = synthesized(tmp_path, given)
    assert expiring(assembly) == {"churn/captured/": (7, 1), "churn/scores/": (9, 1)}
    # What is named after these folders writes to them.
    outputs = hosting(assembly)["Outputs"]
    assert outputs["ChurnCapturedPrefix"]["Value"].startswith("churn/captured/")
    batch = assembly.get_stack_by_name("sagelens-x-batch").template["Outputs"]
    assert batch["ChurnScoresPrefix"]["Value"] == "churn/scores/"


def test_what_was_captured_once_expires_though_nothing_is_captured_now(tmp_path: Path) -> None:
    assert expiring(synthesized(tmp_path, text())) == {"churn/captured/": (30, 1)}


def test_a_batch_finds_by_name_what_releases_write(tmp_path: Path) -> None:
    given = text("batch: {identifiers: 2, schedule: rate(1 day), job: {instance_count: 3}}")
    assembly = synthesized(tmp_path, given)
    template = assembly.get_stack_by_name("sagelens-x-batch").template
    (found,) = of(template, "AWS::StepFunctions::StateMachine")
    told = json.dumps(found["Properties"]["DefinitionString"])
    parameter = hosting(assembly)["Parameters"]["LiveVersion"]["Default"]
    for words in (
        f'\\"{parameter}\\"',
        "churn/batch/",
        "churn/scores/",
        '\\"$[2:]\\"',
        '\\"$[0,1,-1]\\"',
        '\\"InstanceCount\\":3',
        "sagelens.batch",
    ):
        assert words in told, words
    (schedule,) = of(template, "AWS::Scheduler::Schedule")
    assert schedule["Properties"]["ScheduleExpression"] == "rate(1 day)"
    assert not any("Export" in one for one in template["Outputs"].values())


@pytest.mark.parametrize(
    ("given", "sent", "kept", "form"),
    [
        ({}, "$", "$", "text/csv"),
        ({"identifiers": 1}, "$[1:]", "$[0,-1]", "text/csv"),
        ({"content_type": "application/jsonlines"}, "$", "$", "application/jsonlines"),
    ],
)
def test_results_hold_what_the_settings_say(
    given: dict[str, Any], sent: str, kept: str, form: str
) -> None:
    records = records_of(BatchSettings.model_validate(given))
    assert (records.sent, records.kept) == (sent, kept)
    assert (records.content_type, records.accept) == (form, form)


def test_a_watch_need_not_ask_for_retraining(tmp_path: Path) -> None:
    assembly = synthesized(tmp_path, text(WATCHED + "{retrain: false}"))
    template = assembly.get_stack_by_name("sagelens-x-drift").template
    assert "events:PutEvents" not in json.dumps(template)


def test_without_a_watch_there_is_no_stack_for_it(tmp_path: Path) -> None:
    assembly = synthesized(tmp_path, text(f"{SEVERAL}, capture_percent: 100"))
    names = {stack.stack_name for stack in assembly.stacks}
    assert names == {f"sagelens-x-{one}" for one in
                     ("foundation", "training", "releases", "hosting-churn")}  # fmt: skip


def test_the_longest_names_fit(tmp_path: Path) -> None:
    model = "a" * 20
    given = text(name="environment1").replace("churn", model)
    path = tmp_path / "own.yaml"
    path.write_text(given)
    settings = config.load(path)
    # Its scripts are not there, so only the endpoint's name can be judged.
    assert settings.hosting is not None
    endpoint = settings.hosting.models[model]
    names = HostingNames(settings.name, model)
    agreed(endpoint, names.endpoint)
    assert JOB_NAME.fullmatch(names.batch)


# The configuration refuses what the construct would: it knows no CDK, so the rules stand twice.


def agreed(endpoint: config.EndpointSettings, name: str = "sagelens-x-churn") -> None:
    """Raise ValueError where the construct refuses settings."""
    variant = Variant(name=VARIANT, model_package="arn", capacity=capacity_of(endpoint))
    endpoint_rules.check(
        "endpoint",
        endpoint_name=name,
        variants=[variant],
        deployment=deployment_of(endpoint),
        capture=None,
        network=None,
        network_isolation=endpoint.isolated,
        thresholds=thresholds_of(endpoint),
    )


CAPACITIES = [
    *({"serverless": {"memory_mb": memory}} for memory in (1000, 1024, 6144, 7168)),
    *({"serverless": {"max_concurrency": most}} for most in (0, 1, 200, 201)),
    {"serverless": {"max_concurrency": 2, "provisioned_concurrency": 2}},
    {"serverless": {"max_concurrency": 2, "provisioned_concurrency": 3}},
    *({"instances": {"instance_count": count}} for count in (0, 1, 2)),
    *(
        {
            "instances": {
                "instance_type": kind,
                "instance_count": count,
                "scaling": {"most": most, "least": least, "invocations_per_instance": 1.0},
            }
        }
        for kind in ("ml.m5.large", "ml.t2.medium")
        for count, most, least in ((2, 4, None), (2, 4, 1), (2, 4, 3), (2, 1, None))
    ),
]
DEPLOYMENTS: list[dict[str, dict[str, Any]]] = [
    *({"all_at_once": {"bake_seconds": bake}} for bake in (0, 3600, 3601)),
    *({"canary": {"percent": percent}} for percent in (0, 1, 50, 51)),
    *({"linear": {"percent": percent}} for percent in (9, 10, 50, 51)),
    *({"linear": {"percent": 10, "bake_seconds": bake}} for bake in (2618, 2619)),
    *({"canary": {"bake_seconds": 300, "timeout_seconds": longest}} for longest in (600, 601)),
]


@pytest.mark.parametrize(
    ("capacity", "deployment"), list(itertools.product(CAPACITIES, DEPLOYMENTS)), ids=str
)
def test_the_configuration_refuses_what_the_construct_would(
    capacity: dict[str, Any], deployment: dict[str, Any]
) -> None:
    given = {
        "capacity": capacity,
        "deployment": deployment,
        "smoke_test": {"answer_path": "$.a"},
    }
    try:
        settings = config.EndpointSettings.model_validate(given)
    except ValueError:
        # Unchecked, the same settings must not please the construct either.
        with pytest.raises(ValueError):
            agreed(unchecked(given))
    else:
        agreed(settings)


def unchecked(given: dict[str, Any]) -> config.EndpointSettings:
    """Settings as given, without any check."""
    from config import hosting as h

    def built(section: type, values: dict[str, Any], **nested: Any) -> Any:
        return section.model_construct(**{**values, **nested})  # type: ignore[attr-defined]

    capacity, deployment = given["capacity"], given["deployment"]
    instances = capacity.get("instances")
    scaling = instances and instances.get("scaling")
    made = {
        "serverless": "serverless" in capacity
        and built(h.ServerlessSettings, capacity["serverless"]),
        "instances": instances is not None
        and built(
            h.InstancesSettings,
            instances,
            **({"scaling": built(h.ScalingSettings, scaling)} if scaling else {}),
        ),
    }
    kinds = {
        "all_at_once": h.AllAtOnceSettings,
        "canary": h.CanarySettings,
        "linear": h.LinearSettings,
    }
    ways = {name: built(kinds[name], values) for name, values in deployment.items()}
    return built(
        config.EndpointSettings,
        {},
        capacity=built(h.CapacitySettings, {k: v or None for k, v in made.items()}),
        deployment=built(h.DeploymentSettings, ways),
    )


def test_limits_are_those_of_the_constructs() -> None:
    assert MEMORY_SIZES == endpoint_rules.MEMORY_SIZES
    assert set(BURSTABLE) == endpoint_rules.BURSTABLE
    assert LONGEST_DEPLOYMENT == endpoint_rules.LONGEST_DEPLOYMENT
    assert (EVENTS_A_LOOK, MOST_EVENTS) == (release.EVENTS_A_LOOK, release.MOST_EVENTS)


# What only the stacks can know


def refused(folder: Path, given: str) -> list[tuple[int | None, str, str]]:
    """Line, path and words of each error."""
    path = folder / "own.yaml"
    path.write_text(given)
    with pytest.raises(config.ConfigurationError) as caught:
        config.load(path, check=problems)
    return [
        (one.line, ".".join(map(str, one.path)), f"{one.problem}; {one.allowed}")
        for one in caught.value.problems
    ]


def test_a_sample_that_is_not_there_is_refused_at_its_line(tmp_path: Path) -> None:
    given = text().replace('probability"}', 'probability", sample: smaple.csv}')
    ((line, path, words),) = refused(tmp_path, given)
    assert (line, path) == (7, "hosting.models.churn.smoke_test.sample")
    assert "is not there; a file in ml_src/churn" in words


def test_a_watch_of_a_model_without_adapter_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn").mkdir()
    monkeypatch.setattr("stacks.hosting_checks.SOURCE", tmp_path)
    ((line, path, words),) = refused(tmp_path, text(WATCHED + "{}"))
    assert (line, path) == (7, "hosting.models.churn.drift")
    assert "needs ml_src/churn/capture.py" in words


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "is empty"), (b"1" * (LARGEST_SAMPLE + 1), "100,001 bytes"), (b"\xff\xfe", "no text")],
)
def test_a_sample_that_cannot_be_sent_is_refused(
    content: bytes, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "churn").mkdir()
    (tmp_path / "churn" / "sample.csv").write_bytes(content)
    monkeypatch.setattr("stacks.hosting_plans.SOURCE", tmp_path)
    ((_, path, said),) = refused(tmp_path, text())
    assert path == "hosting.models.churn.smoke_test.sample"
    assert words in said


def test_a_processor_that_the_image_is_not_built_for_is_refused(tmp_path: Path) -> None:
    given = text("capacity: {instances: {instance_type: ml.m6g.large}}")
    ((line, path, words),) = refused(tmp_path, given)
    assert (line, path) == (7, "hosting.models.churn.capacity.instances.instance_type")
    assert "Arm processor" in words


def test_everything_is_said_at_once_with_the_files_own_errors(tmp_path: Path) -> None:
    given = text("capture_percent: 5").replace('probability"}', 'probability", sample: no.csv}')
    given = given.replace("experiments: false", "experiments: fasle")
    assert [path for _, path, _ in refused(tmp_path, given)] == [
        "training.experiments",
        "hosting.models.churn.smoke_test.sample",
        "hosting.models.churn.capture_percent",
    ]

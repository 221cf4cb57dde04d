"""What the training stack makes of its settings."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app
import config
from sagelens.experiment_tracking import MLFLOW_APP_REGIONS
from stacks.training_checks import training_problems
from stacks.training_plans import SOURCE
from stacks.training_stack import pascal

MODEL = """
      algorithm: {algorithm}
      data_prefix: {name}/data/
      gate: {{metric: {metric}, at_least: 0.5}}
"""


def synthesized(folder: Path, text: str) -> tuple[dict[str, Any], cdk.cx_api.CloudAssembly]:
    """The training stack's template and the assembly, for an environment file of this text."""
    path = folder / "own.yaml"
    path.write_text(text)
    settings = config.load(path, check=training_problems)
    made = app.compose(app.new_app(outdir=str(folder / "out")), settings).synth()
    return made.get_stack_by_name("sagelens-x-training").template, made


def environment(model: str = "", *, more: str = "", training: str = "") -> str:
    """An environment whose churn model has further settings (each line indented by six)."""
    churn = MODEL.format(algorithm="xgboost-script", name="churn", metric="a.b")
    return f"name: x\n{more}training:\n{training}  models:\n    churn:{churn}{model}"


def of(template: dict[str, Any], type: str) -> list[dict[str, Any]]:
    """Properties of all resources of a type."""
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == type]


def definition(template: dict[str, Any]) -> str:
    """The pipeline's definition as text, with a word for each reference."""
    (pipeline, *_) = of(template, "AWS::SageMaker::Pipeline")
    body = pipeline["PipelineDefinition"]["PipelineDefinitionBody"]
    return "".join(part if isinstance(part, str) else "<reference>" for part in body["Fn::Join"][1])


def test_names_are_those_of_environment_and_model(tmp_path: Path) -> None:
    template, _ = synthesized(tmp_path, environment())
    for kind, field in (
        ("Pipeline", "PipelineName"),
        ("ModelPackageGroup", "ModelPackageGroupName"),
        ("ModelCard", "ModelCardName"),
    ):
        (found,) = of(template, f"AWS::SageMaker::{kind}")
        assert found[field] == "sagelens-x-churn"


def test_nothing_starts_a_pipeline_by_itself_unless_asked(tmp_path: Path) -> None:
    template, _ = synthesized(tmp_path, environment())
    types = {one["Type"] for one in template["Resources"].values()}
    assert not types & {
        "AWS::Scheduler::Schedule",
        "AWS::Scheduler::ScheduleGroup",
        "AWS::Lambda::EventSourceMapping",
    }


def test_each_start_is_there_when_asked_for(tmp_path: Path) -> None:
    start = (
        "      start: {schedule: 'cron(0 3 ? * MON *)', on_new_data_minutes: 30, "
        "on_drift_days: 7}\n"
    )
    template, _ = synthesized(tmp_path, environment(start))
    (schedule,) = of(template, "AWS::Scheduler::Schedule")
    assert schedule["ScheduleExpression"] == "cron(0 3 ? * MON *)"
    assert len(of(template, "AWS::Scheduler::ScheduleGroup")) == 1
    modes = sorted(
        mode
        for one in of(template, "AWS::Lambda::Function")
        for mode in ("data", "event")
        if f'\\"mode\\":\\"{mode}\\"' in json.dumps(one)
    )
    assert modes == ["data", "event"]
    assert {"ChurnDataStartQueueArn", "ChurnDriftStartDeadLetterQueueArn"} <= set(
        template["Outputs"]
    )


@pytest.mark.parametrize(
    ("region", "tracked"),
    [("null", True), ("eu-west-1", True), ("af-south-1", False)],
)
def test_a_region_without_mlflow_apps_switches_experiments_off_and_says_so(
    region: str, tracked: bool, tmp_path: Path
) -> None:
    text = environment(more=f"region: {region}\nvision: null\n")
    template, assembly = synthesized(tmp_path, text)
    assert bool(of(template, "AWS::SageMaker::MlflowApp")) is tracked
    assert ("MlflowAppArn" in template["Outputs"]) is tracked
    assert ("Track" in definition(template)) is tracked
    told = [
        str(message.entry.data)
        for message in assembly.get_stack_by_name("sagelens-x-training").messages
        if message.level == cdk.cx_api.SynthesisMessageLevel.INFO
    ]
    assert any("af-south-1 has no MLflow apps" in one for one in told) is not tracked


def test_experiments_are_off_in_one_line(tmp_path: Path) -> None:
    template, _ = synthesized(tmp_path, environment(training="  experiments: false\n"))
    assert not of(template, "AWS::SageMaker::MlflowApp")


def test_the_region_of_the_test_above_is_a_fair_one() -> None:
    assert "af-south-1" not in MLFLOW_APP_REGIONS


def test_jobs_are_isolated_encrypted_and_in_the_network_where_there_is_one(
    tmp_path: Path,
) -> None:
    inside, _ = synthesized(tmp_path, environment(more="network: {}\n"))
    text = definition(inside)
    assert text.count('"EnableNetworkIsolation":true') == 3
    assert text.count('"EnableInterContainerTrafficEncryption":true') == 3
    assert text.count("VpcConfig") == 3
    (group,) = of(inside, "AWS::EC2::SecurityGroup")
    assert {rule["FromPort"] for rule in group["SecurityGroupEgress"]} == {443}
    (among,) = of(inside, "AWS::EC2::SecurityGroupIngress")
    assert among["SourceSecurityGroupId"] == among["GroupId"]
    (tmp_path / "outside").mkdir()
    switches = "  network_isolation: false\n  encrypt_between_instances: false\n"
    outside, _ = synthesized(tmp_path / "outside", environment(training=switches))
    assert "VpcConfig" not in definition(outside)
    assert '"EnableNetworkIsolation":true' not in definition(outside)


def test_spot_is_the_default_and_can_be_left(tmp_path: Path) -> None:
    spot, _ = synthesized(tmp_path, environment())
    assert '"EnableManagedSpotTraining":true' in definition(spot)
    (tmp_path / "other").mkdir()
    other, _ = synthesized(tmp_path / "other", environment("      train: {spot: false}\n"))
    assert '"EnableManagedSpotTraining":true' not in definition(other)


def test_other_accounts_may_read_versions_when_named(tmp_path: Path) -> None:
    shared = '  share_models_with: ["210987654321"]\n'
    template, _ = synthesized(tmp_path, environment(training=shared))
    (group,) = of(template, "AWS::SageMaker::ModelPackageGroup")
    assert "210987654321" in json.dumps(group["ModelPackageGroupPolicy"])
    (tmp_path / "alone").mkdir()
    alone, _ = synthesized(tmp_path / "alone", environment())
    (group,) = of(alone, "AWS::SageMaker::ModelPackageGroup")
    assert "ModelPackageGroupPolicy" not in group


def test_tuning_takes_the_place_of_training(tmp_path: Path) -> None:
    tuning = "      tuning: {ranges: {eta: null, max_depth: [3, 9]}, max_jobs: 4}\n"
    template, _ = synthesized(tmp_path, environment(tuning))
    text = definition(template)
    assert "HyperParameterTuningJobConfig" in text
    assert "IntegerParameterRanges" in text and "max_depth" in text


def test_the_model_card_says_what_the_settings_say(tmp_path: Path) -> None:
    card = "      card: {purpose: To make offers in time, owner: Retention, risk: Low}\n"
    template, _ = synthesized(tmp_path, environment(card))
    (found,) = of(template, "AWS::SageMaker::ModelCard")
    content = found["Content"]
    assert content["IntendedUses"] == {
        "PurposeOfModel": "To make offers in time",
        "RiskRating": "Low",
    }
    assert content["ModelOverview"]["ModelOwner"] == "Retention"
    (gate,) = content["EvaluationDetails"]
    assert gate["EvaluationObservation"].startswith(
        "A version is registered if a.b is at least 0.5"
    )
    assert "KmsKeyId" in found["SecurityConfig"]


def test_autopilot_comes_beside_the_pipeline(tmp_path: Path) -> None:
    template, _ = synthesized(tmp_path, environment("      autopilot: {target: Churn}\n"))
    assert len(of(template, "AWS::StepFunctions::StateMachine")) == 1
    groups = {
        one["ModelPackageGroupName"] for one in of(template, "AWS::SageMaker::ModelPackageGroup")
    }
    assert groups == {"sagelens-x-churn", "sagelens-x-churn-autopilot"}
    assert "ChurnAutopilotStateMachineArn" in template["Outputs"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [("churn", "Churn"), ("store-demand", "StoreDemand"), ("a1-b2", "A1B2")],
)
def test_a_models_name_begins_its_outputs(name: str, expected: str) -> None:
    assert pascal(name) == expected


def test_two_models_share_the_code_the_app_and_the_group_of_schedules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "ml_src"
    shutil.copytree(SOURCE, source, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(source / "churn", source / "second")
    for module in ("training_checks", "training_plans", "training_stack"):
        monkeypatch.setattr(f"stacks.{module}.SOURCE", source)
    second = MODEL.format(algorithm="xgboost", name="second", metric="validation:auc")
    start = "      start: {schedule: rate(1 day)}\n"
    template, _ = synthesized(
        tmp_path,
        f"{environment(start)}    second:{second}      hyperparameters: {{num_round: 10}}\n{start}",
    )
    counts = {
        "MlflowApp": 1,
        "Pipeline": 2,
        "ModelPackageGroup": 2,
        "ModelCard": 2,
    }
    assert {kind: len(of(template, f"AWS::SageMaker::{kind}")) for kind in counts} == counts
    assert len(of(template, "AWS::Scheduler::ScheduleGroup")) == 1
    assert len(of(template, "AWS::Scheduler::Schedule")) == 2
    assert {"ChurnPipelineName", "SecondPipelineName"} <= set(template["Outputs"])


def test_nothing_is_announced_when_nothing_is_to_be(tmp_path: Path) -> None:
    template, _ = synthesized(tmp_path, environment("      announce: []\n"))
    assert not of(template, "AWS::Events::Rule")


def test_a_bound_may_lie_above(tmp_path: Path) -> None:
    text = environment().replace("at_least", "at_most")
    template, _ = synthesized(tmp_path, text)
    assert '"Name":"Most"' in definition(template)
    (card,) = of(template, "AWS::SageMaker::ModelCard")
    assert "is at most 0.5" in json.dumps(card["Content"])


def test_a_built_in_algorithm_is_not_evaluated(tmp_path: Path) -> None:
    churn = MODEL.format(algorithm="xgboost", name="churn", metric="validation:auc")
    text = f"name: x\ntraining:\n  models:\n    churn:{churn}"
    template, _ = synthesized(tmp_path, f"{text}      hyperparameters: {{num_round: 10}}\n")
    assert '"Name":"Evaluate"' not in definition(template)
    assert '"num_round"' in definition(template)


@pytest.mark.parametrize(
    ("given", "told"),
    [("{overfit: warn}", '"overfit"'), ("{}", '""'), ("null", None)],
)
def test_rules_can_be_chosen_turned_off_or_left_to_the_script(
    tmp_path: Path, given: str, told: str | None
) -> None:
    template, _ = synthesized(tmp_path, environment(f"      training_rules: {given}\n"))
    parameters = json.loads(definition(template))["Parameters"]
    found = [json.dumps(one["DefaultValue"]) for one in parameters if one["Name"] == "rules"]
    assert found == ([] if told is None else [told])


def test_a_built_in_algorithm_has_no_rules_to_turn_off(tmp_path: Path) -> None:
    churn = MODEL.format(algorithm="xgboost", name="churn", metric="validation:auc")
    text = f"name: x\ntraining:\n  models:\n    churn:{churn}      training_rules: {{}}\n"
    template, _ = synthesized(tmp_path, f"{text}      hyperparameters: {{num_round: 10}}\n")
    assert '"rules"' not in definition(template)


def test_steps_are_cached_when_asked_for(tmp_path: Path) -> None:
    template, _ = synthesized(tmp_path, environment("      cache_days: 7\n"))
    assert '"ExpireAfter":"P7D"' in definition(template)


def test_debugger_gets_the_rules_where_the_account_has_it(tmp_path: Path) -> None:
    churn = MODEL.format(algorithm="pytorch", name="churn", metric="a.b")
    text = (
        "name: x\naccount_features: {debugger: true}\ntraining:\n  models:\n"
        f"    churn:{churn}      training_rules: {{vanishing_gradient: end}}\n"
    )
    template, _ = synthesized(tmp_path, text)
    assert '"DebugRuleConfigurations"' in definition(template)

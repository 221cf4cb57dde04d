"""What a ``TrainingPipeline`` promises, in a stack of a stranger's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam

import app as sagelens_app
from sagelens import (
    DataLocation,
    Gate,
    Job,
    JobSurroundings,
    ModelGroup,
    PipelineJobs,
    Recipe,
    Retries,
    TrainingJob,
    TrainingPipeline,
    Tuning,
)
from sagelens.algorithms import IntegerRange, algorithm, own_image
from sagelens.job_requests import CODE
from sagelens.jobs import has_local_storage
from tests.constructs.conftest import resources, statements
from tests.constructs.training.conftest import ROOT, Made, Parts, Recorder, parts_in
from tests.constructs.training.variants import FUNCTION, OWN, VARIANTS, network

METRICS = json.loads((ROOT / "ml_src/churn/metric_definitions.json").read_text())
RULES = json.loads((ROOT / "ml_src/shared/rule_metric_definitions.json").read_text())
BUILT_IN: dict[str, Any] = {
    "algorithm": algorithm("xgboost"),
    "hyperparameters": {"num_round": 100},
    "gate": Gate(metric="validation:auc", at_least=0.7),
}


def variant(name: str, parts: Parts) -> Made:
    return parts.made(**VARIANTS[name](parts))


# What runs


def test_the_usual_steps_come_one_after_another(parts: Parts) -> None:
    made = parts.made()
    assert list(made.steps) == ["Prepare", "Train", "Evaluate", "Gate", "Register", "Refuse"]
    gate = made.steps["Gate"]["Arguments"]
    assert [one["Name"] for one in gate["IfSteps"]] == ["Register"]
    assert [one["Name"] for one in gate["ElseSteps"]] == ["Refuse"]


def test_whatever_a_run_may_vary_is_a_parameter(parts: Parts) -> None:
    made = parts.made(hyperparameters={"max_depth": 5, "eta": 1e-5})
    types = {one["Name"]: one["Type"] for one in made.definition["Parameters"]}
    assert types == {
        "DataUrl": "String",
        "PrepareInstanceType": "String",
        "TrainInstanceType": "String",
        "TrainInstanceCount": "Integer",
        "EvaluateInstanceType": "String",
        "ApprovalStatus": "String",
        "Least": "Float",
        "max_depth": "String",
        "eta": "String",
    }
    assert made.parameters["DataUrl"].endswith("/churn/customers/")
    assert made.parameters["eta"] == "0.00001"
    # None of them is there for nothing.
    for name in types:
        assert f'{{"Get":"Parameters.{name}"}}' in made.text


def test_each_execution_writes_to_a_place_of_its_own(parts: Parts) -> None:
    made = variant("torch on gpus", parts)
    places = [
        *re.findall(r'"(?:S3OutputPath|S3Uri)":(\{"Std:Join".*?\]\}\})', made.text),
    ]
    written = [place for place in places if "/net/runs" in place]
    assert len(written) == 6 + 3 + 3  # prepare, evaluate, and model, checkpoints, tensors
    for place in written:
        values = json.loads(place)["Std:Join"]["Values"]
        assert values[1] == {"Get": "Execution.PipelineExecutionId"}


def test_scripts_get_every_path_by_argument_or_variable(parts: Parts) -> None:
    """So that whoever runs a job elsewhere can move them: nothing is known to a script alone."""
    made = parts.made()
    for name, script in (("Prepare", "prepare"), ("Evaluate", "evaluate")):
        job = made.steps[name]["Arguments"]["AppSpecification"]
        program, *rest = job["ContainerArguments"]
        assert program == f"{CODE}/ml_src/churn/{script}.py"
        source = (ROOT / f"ml_src/churn/{script}.py").read_text()
        options = set(rest[::2])
        for option in re.findall(r'add_argument\("(--[a-z-]+)", type=Path', source):
            assert option in options
        assert rest[-2:] == ["--failure-file", "/opt/ml/output/message"]
    training = made.steps["Train"]["Arguments"]
    assert training["AlgorithmSpecification"]["ContainerArguments"] == [
        f"{CODE}/ml_src/churn/train.py"
    ]
    source = (ROOT / "ml_src/churn/train.py").read_text()
    for variable in re.findall(r'"(SM_[A-Z_]+)"', source):
        assert variable in training["Environment"]
    assert training["Environment"]["OMP_WAIT_POLICY"] == "PASSIVE"


def test_prepares_outputs_and_channels_are_those_of_the_scripts(parts: Parts) -> None:
    made = parts.made()
    outputs = made.steps["Prepare"]["Arguments"]["ProcessingOutputConfig"]["Outputs"]
    text = (ROOT / "ml_src/churn/prepare.py").read_text()
    for one in outputs:
        assert re.search(rf"^    {one['OutputName']}/", text, re.M)
    channels = made.steps["Train"]["Arguments"]["InputDataConfig"]
    assert [one["ChannelName"] for one in channels] == ["train", "validation", "encoder", "code"]
    assert not [one for one in channels if "ContentType" in one]


def test_code_is_started_without_the_containers_own_starter(parts: Parts) -> None:
    entry = parts.made().steps["Train"]["Arguments"]["AlgorithmSpecification"][
        "ContainerEntrypoint"
    ]
    assert entry == [
        "sh",
        "-c",
        "mkdir -p /opt/ml/code && tar -xzf /opt/ml/input/data/code/*.tgz -C /opt/ml/code "
        '&& exec python3 "$@"',
        "job",
    ]


def test_metrics_of_the_script_and_of_the_rules_are_read_from_its_log(parts: Parts) -> None:
    made = variant("own image with scripts", parts)
    found = made.steps["Train"]["Arguments"]["AlgorithmSpecification"]["MetricDefinitions"]
    assert {one["Name"]: one["Regex"] for one in found} == {**METRICS, **RULES}


@pytest.mark.parametrize("name", ["usual", "built in"])
def test_xgboosts_image_brings_its_own_metrics_and_takes_no_others(name: str, parts: Parts) -> None:
    specification = variant(name, parts).steps["Train"]["Arguments"]["AlgorithmSpecification"]
    assert "MetricDefinitions" not in specification


def test_rules_reach_the_script_as_it_reads_them(parts: Parts) -> None:
    made = variant("rules", parts)
    assert made.parameters["rules"] == "overfit,loss_not_decreasing:end"
    arguments = made.steps["Train"]["Arguments"]
    assert arguments["HyperParameters"]["rules"] == {"Get": "Parameters.rules"}
    assert "DebugHookConfig" not in arguments


# Spot, checkpoints, cache, retries


def test_training_runs_on_spare_capacity_with_checkpoints(parts: Parts) -> None:
    arguments = parts.made().steps["Train"]["Arguments"]
    assert arguments["EnableManagedSpotTraining"] is True
    assert arguments["StoppingCondition"] == {
        "MaxRuntimeInSeconds": 3600,
        "MaxWaitTimeInSeconds": 7200,
    }
    place = arguments["CheckpointConfig"]
    assert place["LocalPath"] == "/opt/ml/checkpoints"
    assert place["S3Uri"]["Std:Join"]["Values"][-1] == "checkpoints"


def test_a_job_on_demand_keeps_checkpoints_for_its_next_attempt(parts: Parts) -> None:
    jobs = PipelineJobs(train=TrainingJob(spot=False))
    arguments = parts.made(jobs=jobs).steps["Train"]["Arguments"]
    assert "MaxWaitTimeInSeconds" not in arguments["StoppingCondition"]
    assert "CheckpointConfig" in arguments


def test_without_checkpoints_a_spot_job_waits_no_longer_than_it_may(parts: Parts) -> None:
    arguments = variant("built in without checkpoints", parts).steps["Train"]["Arguments"]
    assert arguments["StoppingCondition"]["MaxWaitTimeInSeconds"] == 3600
    assert "CheckpointConfig" not in arguments


def cached(made: Made) -> set[str]:
    return {name for name, step in made.steps.items() if "CacheConfig" in step}


def test_nothing_is_cached_unless_asked_for(parts: Parts) -> None:
    assert cached(parts.made()) == set()


def test_what_can_be_found_again_is_cached(parts: Parts) -> None:
    """A training job's place of checkpoints is the execution's, so no two would be equal."""
    made = variant("cached", parts)
    assert cached(made) == {"Prepare", "Evaluate"}
    assert made.steps["Prepare"]["CacheConfig"] == {"Enabled": True, "ExpireAfter": "P30D"}


def test_training_on_demand_is_cached_and_keeps_no_checkpoints(parts: Parts) -> None:
    made = variant("cached on demand", parts)
    assert cached(made) == {"Prepare", "Train", "Evaluate"}
    train = made.steps["Train"]["Arguments"]
    # What AWS compares ("Default cache key attributes by pipeline step type") is no execution's.
    compared = [
        train[name]
        for name in ("AlgorithmSpecification", "Environment", "HyperParameters", "InputDataConfig")
    ]
    assert "CheckpointConfig" not in train
    assert "Execution." not in json.dumps(compared)


def test_steps_are_tried_again_within_awss_limits(parts: Parts) -> None:
    made = parts.made(
        retries=Retries(attempts=20, interval_seconds=43_200, capacity_minutes=14_400)
    )
    policies = made.steps["Train"]["RetryPolicies"]
    assert [(one["ExceptionType"], one.get("MaxAttempts")) for one in policies] == [
        (["Step.SERVICE_FAULT", "Step.THROTTLING"], 20),
        (["SageMaker.JOB_INTERNAL_ERROR"], 20),
        (["SageMaker.CAPACITY_ERROR", "SageMaker.RESOURCE_LIMIT"], None),
    ]
    assert policies[-1]["ExpireAfterMin"] == 14_400
    assert all(("MaxAttempts" in one) != ("ExpireAfterMin" in one) for one in policies)
    # "Retry Policy for Pipeline Steps" names neither Lambda, Condition nor Fail steps.
    assert {name for name, step in made.steps.items() if "RetryPolicies" in step} == {
        "Prepare",
        "Train",
        "Evaluate",
        "Register",
    }


def test_nothing_is_tried_again_if_so_asked(parts: Parts) -> None:
    made = parts.made(retries=Retries(attempts=0, capacity_minutes=0))
    assert "RetryPolicies" not in made.text


def test_a_tuning_jobs_own_errors_are_left_to_it(parts: Parts) -> None:
    policies = variant("tuned", parts).steps["Tune"]["RetryPolicies"]
    assert "SageMaker.JOB_INTERNAL_ERROR" not in json.dumps(policies)


# Gate and registration


@pytest.mark.parametrize(
    ("gate", "comparison", "parameter"),
    [
        (Gate(metric="a.b", at_least=0), "GreaterThanOrEqualTo", "Least"),
        (Gate(metric="a.b", at_most=2), "LessThanOrEqualTo", "Most"),
    ],
)
def test_the_gate_compares_with_a_parameter(
    gate: Gate, comparison: str, parameter: str, parts: Parts
) -> None:
    made = parts.made(gate=gate)
    (condition,) = made.steps["Gate"]["Arguments"]["Conditions"]
    assert condition == {
        "Type": comparison,
        "LeftValue": {
            "Std:JsonGet": {
                "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Evaluation"},
                "Path": "a.b",
            }
        },
        "RightValue": {"Get": f"Parameters.{parameter}"},
    }
    assert made.parameters[parameter] in (0, 2)


def test_the_reason_of_a_refusal_holds_metric_value_and_bound(parts: Parts) -> None:
    reason = parts.made().steps["Refuse"]["Arguments"]["ErrorMessage"]["Std:Join"]
    assert reason["On"] == ""
    words, value, between, bound, end = reason["Values"]
    assert words == "churn was not registered: binary_classification_metrics.auc.value is "
    assert list(value) == ["Std:JsonGet"]
    assert (between, end) == (", and at least ", " is asked for")
    assert bound == {"Get": "Parameters.Least"}


def test_a_version_carries_metrics_baselines_and_where_it_comes_from(parts: Parts) -> None:
    made = variant("tracked", parts)
    arguments = made.steps["Register"]["Arguments"]
    sources = {
        f"{kind}.{name}": one["S3Uri"]["Std:Join"]["Values"]
        for kind, several in arguments["ModelMetrics"].items()
        for name, one in several.items()
    }
    assert [(name, values[-1]) for name, values in sources.items()] == [
        ("ModelQuality.Statistics", "evaluation.json"),
        ("ModelDataQuality.Statistics", "statistics.json"),
        ("ModelDataQuality.Constraints", "constraints.json"),
        ("Explainability.Report", "analysis.json"),
    ]
    assert "Outputs['explainability']" in str(sources["Explainability.Report"])
    assert arguments["ModelApprovalStatus"] == {"Get": "Parameters.ApprovalStatus"}
    metadata = arguments["CustomerMetadataProperties"]
    assert metadata["execution_id"] == {"Get": "Execution.PipelineExecutionId"}
    assert metadata["training_job"] == {"Get": "Steps.Train.TrainingJobName"}
    assert metadata["run_id"] == {"Get": "Steps.Track.OutputParameters['run_id']"}
    assert metadata["code"] == parts.source.key
    (container,) = arguments["InferenceSpecification"]["Containers"]
    assert container["Environment"] == {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
    }


def test_a_report_on_what_decides_is_attached_where_it_is_made(parts: Parts) -> None:
    none = parts.made(recipe=Recipe(model="churn", explainability=None))
    assert "Explainability" not in none.steps["Register"]["Arguments"]["ModelMetrics"]


def test_a_report_on_what_decides_may_lie_deeper(parts: Parts) -> None:
    recipe = Recipe(model="churn", explainability="evaluation/why/analysis.json")
    metrics = parts.made(recipe=recipe).steps["Register"]["Arguments"]["ModelMetrics"]
    values = metrics["Explainability"]["Report"]["S3Uri"]["Std:Join"]["Values"]
    assert values[-1] == "why/analysis.json"
    assert "Outputs['evaluation']" in str(values[0])


def test_a_run_is_recorded_before_its_gate(parts: Parts) -> None:
    made = variant("tracked", parts)
    step = made.steps["Track"]
    assert step["FunctionArn"] == FUNCTION
    assert step["OutputParameters"] == [
        {"OutputName": name, "OutputType": "String"}
        for name in ("run_id", "experiment_id", "run_url")
    ]
    assert made.steps["Gate"]["DependsOn"] == ["Track"]
    arguments = step["Arguments"]
    assert arguments["experiment"] == "sagelens-test-churn"
    assert arguments["parameters"]["eta"] == {"Get": "Parameters.eta"}
    assert "['plots']" in str(arguments["plots_url"])


def test_violated_rules_ring_where_runs_are_tracked(parts: Parts) -> None:
    made = variant("tracked", parts)
    assert made.pipeline.violations_alarm is not None
    assert made.steps["Track"]["Arguments"]["model"] == "churn"
    (alarm,) = [
        one
        for one in made.resources.of("AWS::CloudWatch::Alarm")
        if one["MetricName"] == "RuleViolations"
    ]
    assert {one["Name"]: one["Value"] for one in alarm["Dimensions"]} == {
        "Environment": "test",
        "Model": "churn",
    }
    assert (alarm["Namespace"], alarm["Threshold"]) == ("Sagelens", 1)
    assert alarm["AlarmActions"]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"tracking": Recorder(FUNCTION), "rules": {}},
        {"tracking": Recorder(FUNCTION), **BUILT_IN},
    ],
    ids=["untracked", "without rules", "built-in"],
)
def test_nothing_rings_where_nobody_tells_of_rules(parts: Parts, given: dict[str, Any]) -> None:
    assert parts.made(**given).pipeline.violations_alarm is None


# Tuning


def test_tuning_searches_where_it_is_told(parts: Parts) -> None:
    made = variant("tuned", parts)
    arguments = made.steps["Tune"]["Arguments"]
    config = arguments["HyperParameterTuningJobConfig"]
    assert config["Strategy"] == "Bayesian"
    assert config["HyperParameterTuningJobObjective"] == {
        "Type": "Maximize",
        "MetricName": "validation:auc",
    }
    ranges = config["ParameterRanges"]
    assert ranges["IntegerParameterRanges"] == [
        {"Name": "max_depth", "MinValue": "3", "MaxValue": "9", "ScalingType": "Auto"}
    ]
    assert [one["Name"] for one in ranges["ContinuousParameterRanges"]] == ["eta"]
    assert config["TrainingJobEarlyStoppingType"] == "Auto"
    assert (made.parameters["TuneMaxJobs"], made.parameters["TuneParallelJobs"]) == (10, 2)
    assert "Train" not in made.steps


def test_a_tuning_job_starts_scripts_in_script_mode(parts: Parts) -> None:
    """Its requests know no entry point, so the container's own starter runs the program."""
    made = variant("tuned", parts)
    definition = made.steps["Tune"]["Arguments"]["TrainingJobDefinition"]
    assert "ContainerEntrypoint" not in definition["AlgorithmSpecification"]
    static = definition["StaticHyperParameters"]
    assert static["sagemaker_program"] == "churn_train.py"
    assert static["sagemaker_submit_directory"] == f"/opt/ml/input/data/code/{parts.source.key}"
    assert (ROOT / "ml_src/entry_points/churn_train.py").is_file()


def test_the_best_model_of_tuning_is_evaluated_and_registered(parts: Parts) -> None:
    made = variant("tuned", parts)
    best = {
        "Std:Join": {
            "On": "/",
            "Values": [
                {"Get": "Steps.Tune.TrainingJobDefinition.OutputDataConfig.S3OutputPath"},
                {"Get": "Steps.Tune.TrainingJobSummaries[0].TrainingJobName"},
                "output/model.tar.gz",
            ],
        }
    }
    inputs = made.steps["Evaluate"]["Arguments"]["ProcessingInputs"]
    assert inputs[0]["S3Input"]["S3Uri"] == best
    (container,) = made.steps["Register"]["Arguments"]["InferenceSpecification"]["Containers"]
    assert container["ModelDataUrl"] == best
    recorded = made.steps["Track"]["Arguments"]["parameters"]
    assert recorded["eta"] == {
        "Get": "Steps.Tune.TrainingJobSummaries[0].TunedHyperParameters['eta']"
    }


def test_a_grid_is_as_large_as_it_is(parts: Parts) -> None:
    made = variant("tuned by grid", parts)
    config = made.steps["Tune"]["Arguments"]["HyperParameterTuningJobConfig"]
    assert config["ResourceLimits"]["MaxNumberOfTrainingJobs"] == 3
    assert "TuneMaxJobs" not in made.parameters


def test_hyperband_stops_jobs_by_itself(parts: Parts) -> None:
    config = variant("tuned by hyperband", parts).steps["Tune"]["Arguments"][
        "HyperParameterTuningJobConfig"
    ]
    assert config["TrainingJobEarlyStoppingType"] == "Off"
    assert config["StrategyConfig"] == {
        "HyperbandStrategyConfig": {"MinResource": 10, "MaxResource": 100}
    }
    assert config["ResourceLimits"]["MaxRuntimeInSeconds"] == 7200


# Algorithms


def test_a_built_in_algorithm_needs_no_code_and_is_gated_by_its_own_metric(parts: Parts) -> None:
    made = variant("built in", parts)
    assert list(made.steps) == ["Prepare", "Train", "Gate", "Register", "Refuse"]
    arguments = made.steps["Train"]["Arguments"]
    assert set(arguments["AlgorithmSpecification"]) == {"TrainingImage", "TrainingInputMode"}
    channels = {one["ChannelName"]: one["ContentType"] for one in arguments["InputDataConfig"]}
    assert channels == {"train": "text/csv", "validation": "text/csv"}
    assert "Environment" not in arguments
    (condition,) = made.steps["Gate"]["Arguments"]["Conditions"]
    assert condition["LeftValue"] == {
        "Get": "Steps.Train.FinalMetricDataList['validation:auc'].Value"
    }
    register = made.steps["Register"]["Arguments"]
    (container,) = register["InferenceSpecification"]["Containers"]
    assert "Environment" not in container
    assert list(register["ModelMetrics"]) == ["ModelDataQuality"]
    assert "EvaluateInstanceType" not in made.parameters


def test_a_tuned_built_in_algorithm_is_gated_by_its_objective(parts: Parts) -> None:
    made = variant("built in and tuned", parts)
    (condition,) = made.steps["Gate"]["Arguments"]["Conditions"]
    best = "Steps.Tune.TrainingJobSummaries[0]"
    assert condition["LeftValue"] == {
        "Get": f"{best}.FinalHyperParameterTuningJobObjectiveMetric.Value"
    }
    assert made.parameters["Most"] == 0.5


def test_scripts_run_in_an_image_that_runs_scripts(parts: Parts) -> None:
    made = variant("built in without checkpoints", parts)
    prepare = made.steps["Prepare"]["Arguments"]["AppSpecification"]["ImageUri"]
    train = made.steps["Train"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    assert "sagemaker-scikit-learn" in prepare
    assert "kmeans" in train
    typed = made.steps["Train"]["Arguments"]["InputDataConfig"][0]["ContentType"]
    assert typed == "text/csv;label_size=0"


def test_gpu_instances_get_the_gpu_image_and_no_volume_key(parts: Parts) -> None:
    made = variant("torch on gpus", parts)
    train = made.steps["Train"]["Arguments"]
    assert "gpu" in train["AlgorithmSpecification"]["TrainingImage"]
    assert "VolumeKmsKeyId" not in train["ResourceConfig"]
    prepare = made.steps["Prepare"]["Arguments"]
    assert "cpu" in prepare["AppSpecification"]["ImageUri"]
    assert "VolumeKmsKeyId" in prepare["ProcessingResources"]["ClusterConfig"]
    evaluate = made.steps["Evaluate"]["Arguments"]
    assert "gpu" in evaluate["AppSpecification"]["ImageUri"]
    assert "VolumeKmsKeyId" not in evaluate["ProcessingResources"]["ClusterConfig"]


def test_script_mode_is_for_whoever_wants_the_containers_starter(parts: Parts) -> None:
    train = variant("torch on gpus", parts).steps["Train"]["Arguments"]
    assert "ContainerEntrypoint" not in train["AlgorithmSpecification"]
    assert train["HyperParameters"]["sagemaker_program"] == "net_train.py"


def test_debugger_looks_at_the_same_rules(parts: Parts) -> None:
    train = variant("torch on gpus", parts).steps["Train"]["Arguments"]
    rules = {one["RuleConfigurationName"] for one in train["DebugRuleConfigurations"]}
    assert rules == {"VanishingGradient", "ExplodingTensor"}
    place = train["DebugHookConfig"]["S3OutputPath"]["Std:Join"]["Values"]
    assert place[-1] == "debugger"


def test_an_own_image_may_bring_its_own_program(parts: Parts) -> None:
    made = variant("own image", parts)
    train = made.steps["Train"]["Arguments"]
    assert train["AlgorithmSpecification"]["TrainingImage"] == OWN
    assert "ContainerEntrypoint" not in train["AlgorithmSpecification"]
    assert "code" not in [one["ChannelName"] for one in train["InputDataConfig"]]
    assert train["AlgorithmSpecification"]["MetricDefinitions"] == [
        {"Name": "test:f1", "Regex": "f1=([0-9.]+)"}
    ]
    assert "ModelMetrics" not in made.steps["Register"]["Arguments"]


@pytest.mark.parametrize("name", ["ml.p3.2xlarge", "ml.m5.large", "ml.t3.medium", "ml.c5n.xlarge"])
def test_volumes_of_instances_without_disks_have_a_key(name: str) -> None:
    assert not has_local_storage(name)


@pytest.mark.parametrize(
    "family", ["g4dn", "g5", "p3dn", "p4de", "p5en", "p6-b200", "trn1n", "r5d", "m6id", "g6e"]
)
def test_volumes_of_instances_with_disks_have_none(family: str) -> None:
    assert has_local_storage(f"ml.{family}.xlarge")


# Surroundings


def test_jobs_are_isolated_and_encrypted_by_default(parts: Parts) -> None:
    made = parts.made()
    for name in ("Prepare", "Evaluate"):
        arguments = made.steps[name]["Arguments"]
        assert arguments["NetworkConfig"] == {
            "EnableInterContainerTrafficEncryption": True,
            "EnableNetworkIsolation": True,
        }
        assert "key/" in arguments["ProcessingOutputConfig"]["KmsKeyId"]
    train = made.steps["Train"]["Arguments"]
    assert train["EnableNetworkIsolation"] and train["EnableInterContainerTrafficEncryption"]
    assert "key/" in train["OutputDataConfig"]["KmsKeyId"]


@pytest.mark.parametrize("tuned", [False, True])
def test_all_jobs_run_in_the_network(tuned: bool, parts: Parts) -> None:
    changes = VARIANTS["tuned"](parts) if tuned else {}
    made = parts.made(surroundings=JobSurroundings(network=network(parts)), **changes)
    configs = [made.steps["Prepare"]["Arguments"]["NetworkConfig"]["VpcConfig"]]
    configs.append(made.steps["Evaluate"]["Arguments"]["NetworkConfig"]["VpcConfig"])
    if tuned:
        configs.append(made.steps["Tune"]["Arguments"]["TrainingJobDefinition"]["VpcConfig"])
    else:
        configs.append(made.steps["Train"]["Arguments"]["VpcConfig"])
    assert all(config == configs[0] for config in configs)
    assert len(configs[0]["Subnets"]) == 2
    assert len(configs[0]["SecurityGroupIds"]) == 1


@pytest.mark.parametrize("name", ["usual", "tuned"])
def test_jobs_carry_the_tags_of_the_pipeline(name: str, parts: Parts) -> None:
    """Costs are the jobs', and AWS does not hand the pipeline's tags on."""
    cdk.Tags.of(parts.stack).add("team", "churn")
    cdk.Tags.of(parts.stack).add("cost", 'a "quoted" one')
    made = variant(name, parts)
    tags = [{"Key": "cost", "Value": 'a "quoted" one'}, {"Key": "team", "Value": "churn"}]
    jobs = {"Prepare", "Train", "Tune", "Evaluate"} & set(made.steps)
    assert len(jobs) == 3
    for step in jobs:
        assert made.steps[step]["Arguments"]["Tags"] == tags
    assert "Tags" not in made.steps["Register"]["Arguments"]
    pipeline = made.resources.one("AWS::SageMaker::Pipeline")
    assert pipeline["Tags"] == tags


# Telling


def test_executions_that_end_are_told_in_a_sentence(parts: Parts) -> None:
    found = parts.made(announce=("Failed", "Stopped")).resources
    rule = found.one("AWS::Events::Rule")
    assert rule["EventPattern"]["source"] == ["aws.sagemaker"]
    assert rule["EventPattern"]["detail-type"] == [
        "SageMaker Model Building Pipeline Execution Status Change"
    ]
    detail = rule["EventPattern"]["detail"]
    assert detail["currentPipelineExecutionStatus"] == ["Failed", "Stopped"]
    assert "pipeline/sagelens-test-churn" in str(detail["pipelineArn"])
    (target,) = rule["Targets"]
    transformer = target["InputTransformer"]
    sentence = json.loads(transformer["InputTemplate"])
    assert sentence.startswith("Training of churn by the pipeline sagelens-test-churn: <status>.")
    assert set(re.findall(r"<(\w+)>", sentence)) <= set(transformer["InputPathsMap"])
    queue = target["DeadLetterConfig"]["Arn"]["Fn::GetAtt"][0]
    assert found.by_id[queue]["Properties"]["KmsMasterKeyId"]
    alarms = [one for one in found.of("AWS::CloudWatch::Alarm") if "AlarmActions" in one]
    assert len(alarms) == 1


def test_nothing_is_told_if_so_asked(parts: Parts) -> None:
    made = variant("open", parts)
    assert made.pipeline.status_rule is None
    assert not made.resources.of("AWS::Events::Rule")
    assert not made.resources.of("AWS::SQS::Queue")


def test_metrics_are_those_of_the_pipeline(parts: Parts) -> None:
    metric = parts.pipeline().metric("ExecutionFailed")
    assert metric.namespace == "AWS/Sagemaker/ModelBuildingPipeline"
    assert metric.dimensions == {"PipelineName": "sagelens-test-churn"}


def test_others_may_start_or_operate_this_pipeline_only(parts: Parts) -> None:
    pipeline = parts.pipeline()
    for name, grant in (("Starts", pipeline.grant_start), ("Operates", pipeline.grant_operate)):
        role = iam.Role(parts.stack, name, assumed_by=iam.AccountRootPrincipal())
        grant(role)
    policies = resources(parts.stack).of("AWS::IAM::Policy")
    found = {
        one["Sid"]: one for policy in policies for one in policy["PolicyDocument"]["Statement"]
    }
    assert found["StartTraining"]["Action"] == "sagemaker:StartPipelineExecution"
    for sid, end in (
        ("StartTraining", "pipeline/sagelens-test-churn"),
        ("OperateTraining", "pipeline/sagelens-test-churn"),
        ("OperateTrainingExecutions", "/execution/*"),
    ):
        assert str(found[sid]["Resource"]).rstrip("']}").endswith(end)


# As a whole


@pytest.mark.parametrize("name", ["usual", "in a network", "torch on gpus"])
def test_two_syntheses_are_equal_to_the_byte(name: str, tmp_path: Path) -> None:
    texts: list[bytes] = []
    for number in range(2):
        place = tmp_path / str(number)
        stack = cdk.Stack(sagelens_app.new_app(outdir=str(place)), "Stranger")
        parts = parts_in(stack)
        parts.pipeline(**VARIANTS[name](parts))
        stack.node.root.synth()  # type: ignore[attr-defined]
        texts.append((place / "Stranger.template.json").read_bytes())
    assert texts[0] == texts[1]


@pytest.mark.parametrize("region", ["eu-central-1", "us-gov-west-1", "cn-north-1"])
def test_a_stack_with_a_region_gets_that_regions_images(region: str, tmp_path: Path) -> None:
    where = cdk.Environment(account="111122223333", region=region)
    stack = cdk.Stack(sagelens_app.new_app(outdir=str(tmp_path)), "Stranger", env=where)
    made = parts_in(stack).made()
    image = made.steps["Train"]["Arguments"]["AlgorithmSpecification"]["TrainingImage"]
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    assert f".dkr.ecr.{region}.{suffix}/sagemaker-xgboost:" in image
    assert image.split(".")[0] in str(statements(made.role("Jobs"))["PullImages"]["Resource"])


def test_two_models_live_in_one_stack(parts: Parts) -> None:
    parts.pipeline()
    TrainingPipeline(
        parts.stack,
        "Second",
        name="sagelens-test-second",
        recipe=Recipe(model="second", prepare="ml_src/churn/prepare.py"),
        data=DataLocation(bucket=parts.data, prefix="second/"),
        artifacts=parts.models,
        encryption_key=parts.key,
        source=parts.source,
        model_group=ModelGroup(parts.stack, "Other", name="second", description="Second"),
        alarm_topic=parts.topic,
        environment_name="test",
        **BUILT_IN,
    )
    found = resources(parts.stack)
    assert len(found.of("AWS::SageMaker::Pipeline")) == 2


def test_an_own_images_repository_may_be_a_token(parts: Parts) -> None:
    repository = ecr.Repository(parts.stack, "Mine")
    image = own_image(repository.repository_uri_for_tag("3"), checkpoints=True)
    made = parts.made(algorithm=image)
    pulled = statements(made.role("Jobs"))["PullImages"]["Resource"]
    assert "Mine" in str(pulled) and "repository/" in str(pulled)


def test_jobs_are_as_large_as_asked(parts: Parts) -> None:
    jobs = PipelineJobs(
        prepare=Job(instance_type="ml.m5.4xlarge", volume_gb=200, max_runtime_seconds=86_400),
        train=TrainingJob(
            instance_type="ml.m5.2xlarge", instance_count=3, volume_gb=60, max_wait_seconds=9000
        ),
    )
    made = parts.made(jobs=jobs)
    prepare = made.steps["Prepare"]["Arguments"]
    assert prepare["ProcessingResources"]["ClusterConfig"]["VolumeSizeInGB"] == 200
    assert prepare["StoppingCondition"] == {"MaxRuntimeInSeconds": 86_400}
    train = made.steps["Train"]["Arguments"]
    assert train["StoppingCondition"]["MaxWaitTimeInSeconds"] == 9000
    assert made.parameters["TrainInstanceCount"] == 3
    assert made.parameters["PrepareInstanceType"] == "ml.m5.4xlarge"


def test_the_objectives_goal_may_be_told(parts: Parts) -> None:
    tuning = Tuning(
        ranges={"max_depth": IntegerRange(2, 4)}, objective="validation:logloss", goal="Minimize"
    )
    made = parts.made(hyperparameters={}, tuning=tuning, tracking=Recorder(FUNCTION))
    config = made.steps["Tune"]["Arguments"]["HyperParameterTuningJobConfig"]
    assert config["HyperParameterTuningJobObjective"]["Type"] == "Minimize"

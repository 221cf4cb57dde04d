"""Executions of deployed definitions: order, values, branches, failures, stop, retry, cache."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from rehearsal.process import Rehearsal
from tests.rehearsal.listening import Tap, wait_for
from tests.rehearsal.workshop import (
    BUCKET,
    Workshop,
    fail,
    gate,
    get,
    make_role,
    pipeline_statements,
)


@pytest.fixture
def shop(engine: Rehearsal) -> Workshop:
    return Workshop.make(engine)


def words(call: Any, *args: Any, **kwargs: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(*args, **kwargs)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def test_steps_pass_on_what_they_made_and_independent_ones_run_side_by_side(
    shop: Workshop,
) -> None:
    source = shop.put("raw/a.txt", "21")
    folder = {
        "Std:Join": {
            "On": "/",
            "Values": [f"s3://{BUCKET}", {"Get": "Execution.PipelineExecutionId"}],
        }
    }
    both = {"Std:Join": {"On": "/", "Values": [folder, "double"]}}
    double = shop.script(
        "Double",
        "(out/'n'/'n.txt').write_text(str(2*int((inp/'raw'/'a.txt').read_text())))",
        inputs={"raw": {"Get": "Parameters.Source"}},
        outputs={"n": both},
    )
    slow = [shop.script(f"Slow{i}", "import time; time.sleep(1.5)") for i in range(2)]
    out = "ProcessingOutputConfig.Outputs['n'].S3Output.S3Uri"
    report = shop.script(
        "Report",
        "import json; n=int((inp/'n'/'n.txt').read_text()); "
        "(out/'e'/'e.json').write_text(json.dumps({'m': {'auc': n/100}}))",
        inputs={"n": get("Double", out)},
        outputs={"e": {"Std:Join": {"On": "/", "Values": [folder, "e"]}}},
        PropertyFiles=[{"PropertyFileName": "E", "OutputName": "e", "FilePath": "e.json"}],
    )
    value = {"Std:JsonGet": {"PropertyFile": get("Report", "PropertyFiles.E"), "Path": "m.auc"}}
    name = shop.create(
        report,
        double,
        *slow,
        gate("Gate", value, then=[shop.script("Yes")], otherwise=[fail("No", "auc", value)]),
        Parameters=[{"Name": "Source", "Type": "String", "DefaultValue": "s3://nowhere/"}],
    )
    run = shop.end(shop.start(name, Source=source))
    assert run.status == "Failed", run
    assert run.described["FailureReason"] == "Step failure: One or multiple steps failed."
    assert run.reason("No") == "auc 0.42"
    assert run.steps["No"]["Metadata"]["Fail"] == {"ErrorMessage": "auc 0.42"}
    assert run.steps["Gate"]["Metadata"]["Condition"] == {"Outcome": "False"}
    assert "Yes" not in run.steps
    assert shop.read(f"{run.id}/double/n.txt") == "42"
    slow_ones = [run.steps[f"Slow{i}"] for i in range(2)]
    last_start = max(each["StartTime"] for each in slow_ones)
    assert last_start < min(each["EndTime"] for each in slow_ones)
    arn = run.steps["Double"]["Metadata"]["ProcessingJob"]["Arn"]
    job = arn.rpartition("/")[2]
    assert job.startswith(f"pipelines-{run.id}-Double-")
    tags = shop.sagemaker.list_tags(ResourceArn=arn)["Tags"]
    assert tags == [
        {"Key": "sagemaker:pipeline-execution-arn", "Value": run.arn},
        {"Key": "sagemaker:pipeline-step-name", "Value": "Double"},
    ]


def test_a_definition_that_is_not_valid_makes_no_pipeline(shop: Workshop) -> None:
    code, text = words(shop.create, fail("F", {"Get": "Parameters.Gone"}))
    assert code == "ValidationException"
    assert text.startswith("Unable to parse pipeline definition. ")
    assert "the parameter 'Gone', which is not there" in text
    assert shop.sagemaker.list_pipelines()["PipelineSummaries"] == []


def test_a_definition_can_lie_in_s3(shop: Workshop) -> None:
    text = json.dumps({"Version": "2020-12-01", "Steps": [fail("F", "from S3")]})
    shop.put("definition.json", text)
    place = {"Bucket": BUCKET, "ObjectKey": "definition.json"}
    given = {"PipelineName": "p", "RoleArn": shop.role, "ClientRequestToken": "t" * 32}
    create = shop.sagemaker.create_pipeline
    for _ in range(2):  # the second time it is the same request again
        create(**given, PipelineDefinitionS3Location=place)
    assert shop.sagemaker.describe_pipeline(PipelineName="p")["PipelineDefinition"] == text
    assert shop.end(shop.start("p")).reason("F") == "from S3"
    gone = {"Bucket": BUCKET, "ObjectKey": "gone.json"}
    code, said = words(
        create, PipelineName="q", RoleArn=shop.role, PipelineDefinitionS3Location=gone
    )
    assert (code, f"s3://{BUCKET}/gone.json" in said) == ("ValidationException", True)
    both = {"PipelineDefinition": text, "PipelineDefinitionS3Location": place}
    assert (
        "Both Pipeline Definition and"
        in words(create, PipelineName="q", RoleArn=shop.role, **both)[1]
    )
    assert "Either Pipeline Definition or" in words(create, PipelineName="q", RoleArn=shop.role)[1]


def test_parameters_are_judged_before_anything_runs(shop: Workshop) -> None:
    name = shop.create(
        shop.script("A"),
        Parameters=[
            {"Name": "Count", "Type": "Integer", "DefaultValue": 1},
            {"Name": "Url", "Type": "String"},
        ],
    )
    code, text = words(shop.start, name, Count="many", Colour="red")
    assert code == "ValidationException"
    assert "Unknown parameter 'Colour'; the pipeline has Count, Url." in text
    assert "Parameter 'Count' is of type Integer, given 'many'." in text
    assert "Parameter 'Url' is undefined" in text
    assert words(shop.start, "nothing")[0] == "ResourceNotFound"
    listed = shop.sagemaker.list_pipeline_executions(PipelineName=name)
    assert listed["PipelineExecutionSummaries"] == []


def test_a_token_starts_one_execution_only(shop: Workshop) -> None:
    name = shop.create(shop.script("A"))
    token = "t" * 32
    start = shop.sagemaker.start_pipeline_execution
    first = start(PipelineName=name, ClientRequestToken=token)
    again = start(PipelineName=name, ClientRequestToken=token)
    assert first["PipelineExecutionArn"] == again["PipelineExecutionArn"]
    other = {"PipelineName": name, "ClientRequestToken": token}
    code, _ = words(start, **other, PipelineExecutionDescription="other")
    assert code == "ConflictException"
    listed = shop.sagemaker.list_pipeline_executions(PipelineName=name)
    assert len(listed["PipelineExecutionSummaries"]) == 1
    shop.end(first["PipelineExecutionArn"])
    token = "u" * 32
    with ThreadPoolExecutor(8) as many:
        answers = list(
            many.map(lambda _: start(PipelineName=name, ClientRequestToken=token), range(8))
        )
    arns = {each["PipelineExecutionArn"] for each in answers}
    assert len(arns) == 1
    shop.end(arns.pop())


def test_a_failing_job_fails_its_step_and_no_further_step_begins(shop: Workshop) -> None:
    bad = shop.script("Bad", "P('/opt/ml/output/message').write_text('row 7'); raise SystemExit(3)")
    after = shop.script("After", DependsOn=["Bad"])
    beside = shop.script("Beside", "import time; time.sleep(0.8)")
    run = shop.run(bad, after, beside)
    assert run.status == "Failed"
    assert run.statuses() == {"Bad": "Failed", "Beside": "Succeeded"}
    assert run.reason("Bad").startswith("ClientError: AlgorithmError: See job logs")
    name = run.steps["Bad"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    job = shop.sagemaker.describe_processing_job(ProcessingJobName=name)
    assert job["ExitMessage"] == "row 7"


@pytest.mark.parametrize(
    ("taken", "said"),
    [
        ("Jobs", "is not authorized to perform: sagemaker:CreateProcessingJob"),
        ("Pass", "is not authorized to perform: iam:PassRole on resource: "),
        ("Tags", "is not authorized to perform: sagemaker:AddTags on resource: arn:aws:sagemaker"),
    ],
)
def test_a_missing_permission_of_the_pipelines_role_fails_the_step(
    shop: Workshop, taken: str, said: str
) -> None:
    left = [each for each in pipeline_statements() if each["Sid"] != taken]
    role = make_role(shop.aws, "narrow", left)
    run = shop.run(shop.script("Prepare"), role=role)
    assert run.status == "Failed"
    reason = run.reason("Prepare")
    assert reason.startswith("ClientError: Failed to invoke sagemaker:CreateProcessingJob. ")
    assert said in reason
    session = f"assumed-role/narrow/sagemaker-pipeline-{run.id}-Prepare"
    assert session in reason
    assert run.steps["Prepare"]["Metadata"] == {}


def test_a_missing_permission_of_the_jobs_role_fails_the_job(shop: Workshop) -> None:
    shop.aws.client("iam").delete_role_policy(RoleName="workshop-jobs", PolicyName="p")
    source = shop.put("raw/a.txt", "1")
    run = shop.run(shop.script("Prepare", inputs={"raw": source}))
    assert run.status == "Failed"
    assert run.steps["Prepare"]["Metadata"]["ProcessingJob"]["Arn"]
    assert run.reason("Prepare").startswith("ClientError: ")


def test_a_wrong_argument_is_judged_when_its_value_is_known(shop: Workshop) -> None:
    step = shop.script("Prepare")
    cluster = step["Arguments"]["ProcessingResources"]["ClusterConfig"]
    cluster["InstanceType"] = {"Get": "Parameters.Instance"}
    parameter = {"Name": "Instance", "Type": "String", "DefaultValue": "ml.none.huge"}
    run = shop.run(step, Parameters=[parameter])
    assert run.status == "Failed"
    assert "Failed to invoke sagemaker:CreateProcessingJob" in run.reason("Prepare")
    assert "ml.none.huge" in run.reason("Prepare")


def test_a_metric_that_is_not_in_the_report_fails_the_gate(shop: Workshop) -> None:
    report = shop.script(
        "Report",
        "(out/'e'/'e.json').write_text('{\"metrics\": {\"f1\": 0.5}}')",
        outputs={"e": f"s3://{BUCKET}/e"},
        PropertyFiles=[{"PropertyFileName": "E", "OutputName": "e", "FilePath": "e.json"}],
    )
    file = get("Report", "PropertyFiles.E")
    value = {"Std:JsonGet": {"PropertyFile": file, "Path": "metrics.auc.value"}}
    run = shop.run(report, gate("Gate", value))
    assert run.status == "Failed"
    assert "nothing at 'metrics.auc.value': metrics holds f1" in run.reason("Gate")
    report["PropertyFiles"][0]["FilePath"] = "other.json"
    run = shop.run(report, gate("Gate", value))
    assert "Failed to invoke s3:GetObject" in run.reason("Gate")
    assert f"s3://{BUCKET}/e/other.json" in run.reason("Gate")


def test_a_stopped_execution_stops_its_job_and_can_be_retried(shop: Workshop) -> None:
    first = shop.script("First")
    long = shop.script(
        "Long",
        "import time; time.sleep(0 if (inp/'flag'/'go').exists() else 60)",
        inputs={"flag": f"s3://{BUCKET}/flag/"},
        DependsOn=["First"],
    )
    shop.put("flag/other", "")
    arn = shop.start(shop.create(first, long, shop.script("Last", DependsOn=["Long"])))
    shop.reaches(arn, "Long")
    shop.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert shop.look(arn).status in ("Stopping", "Stopped")
    run = shop.end(arn)
    assert run.status == "Stopped"
    assert run.statuses() == {"First": "Succeeded", "Long": "Stopped"}
    job = run.steps["Long"]["Metadata"]["ProcessingJob"]["Arn"].rpartition("/")[2]
    described = shop.sagemaker.describe_processing_job(ProcessingJobName=job)
    assert described["ProcessingJobStatus"] == "Stopped"
    code, text = words(shop.sagemaker.stop_pipeline_execution, PipelineExecutionArn=arn)
    assert (code, "status Stopped" in text) == ("ValidationException", True)

    shop.put("flag/go", "")
    shop.sagemaker.retry_pipeline_execution(PipelineExecutionArn=arn)
    again = shop.end(arn)
    assert again.status == "Succeeded"
    assert set(again.statuses().values()) == {"Succeeded"}
    assert again.steps["First"]["StartTime"] == run.steps["First"]["StartTime"]
    assert again.steps["Long"]["Metadata"] != run.steps["Long"]["Metadata"]
    code, _ = words(shop.sagemaker.retry_pipeline_execution, PipelineExecutionArn=arn)
    assert code == "ValidationException"


def test_a_step_that_waits_for_its_next_try_is_stopped_at_once(shop: Workshop) -> None:
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 600}
    shop.aws.sagemaker.fail("CreateProcessingJob", "ThrottlingException", 1)
    arn = shop.start(shop.create(shop.script("Prepare", RetryPolicies=[policy])))
    wait_for(lambda: shop.look(arn).steps.get("Prepare", {}).get("AttemptCount") == 1, 30)
    time.sleep(0.1)
    shop.sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert shop.end(arn, 5).statuses() == {"Prepare": "Stopped"}


def test_a_function_that_runs_is_waited_for(
    shop: Workshop, function_of: Any, role_with: Any
) -> None:
    code = "import time\ndef handler(event, context):\n    time.sleep(1.5)\n    return {}\n"
    arn = function_of(shop.aws, "workshop-slow", code, role_with(shop.aws, "function", []))
    slow = {"Name": "Slow", "Type": "Lambda", "FunctionArn": arn, "Arguments": {}}
    execution = shop.start(shop.create(slow, shop.script("After", DependsOn=["Slow"])))
    wait_for(lambda: shop.look(execution).steps.get("Slow", {}).get("AttemptCount") == 1, 30)
    shop.sagemaker.stop_pipeline_execution(PipelineExecutionArn=execution)
    run = shop.end(execution)
    assert (run.status, run.statuses()) == ("Stopped", {"Slow": "Succeeded"})


def test_what_has_no_stand_in_is_refused_in_words(shop: Workshop) -> None:
    name = shop.create(shop.script("A"))
    chosen = {"SelectedSteps": [{"StepName": "A"}]}
    code, text = words(
        shop.sagemaker.start_pipeline_execution, PipelineName=name, SelectiveExecutionConfig=chosen
    )
    assert code == "NotRehearsedException"
    assert "no stand-in for SelectiveExecutionConfig" in text


def test_a_failed_execution_goes_on_from_where_it_failed(shop: Workshop) -> None:
    source = {"flag": f"s3://{BUCKET}/flag/"}
    shop.put("flag/other", "")
    code = "raise SystemExit(0 if (inp/'flag'/'go').exists() else 1)"
    name = shop.create(shop.script("A"), shop.script("B", code, inputs=source, DependsOn=["A"]))
    run = shop.end(shop.start(name))
    assert run.statuses() == {"A": "Succeeded", "B": "Failed"}
    shop.put("flag/go", "")
    shop.sagemaker.retry_pipeline_execution(PipelineExecutionArn=run.arn)
    again = shop.end(run.arn)
    assert (again.status, again.steps["A"]["EndTime"]) == ("Succeeded", run.steps["A"]["EndTime"])
    assert "FailureReason" not in again.described


def test_two_executions_at_once_do_not_meet(shop: Workshop) -> None:
    folder = {
        "Std:Join": {
            "On": "/",
            "Values": [f"s3://{BUCKET}/runs", {"Get": "Execution.PipelineExecutionId"}],
        }
    }
    code = "import time,sys; time.sleep(0.5); (out/'n'/'n.txt').write_text(sys.argv[1])"
    step = shop.script("Write", code, outputs={"n": folder})
    step["Arguments"]["AppSpecification"]["ContainerArguments"].append({"Get": "Parameters.Word"})
    name = shop.create(step, Parameters=[{"Name": "Word", "Type": "String"}])
    arns = {word: shop.start(name, Word=word) for word in ("one", "two", "three")}
    for word, arn in arns.items():
        run = shop.end(arn)
        assert run.status == "Succeeded"
        assert shop.read(f"runs/{run.id}/n.txt") == word
        given = shop.sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
        assert given["PipelineParameters"] == [{"Name": "Word", "Value": word}]


def test_no_more_steps_at_a_time_than_the_parallelism_lets(shop: Workshop) -> None:
    name = shop.create(*[shop.script(f"S{i}", "import time; time.sleep(0.3)") for i in range(3)])
    answer = shop.sagemaker.start_pipeline_execution(
        PipelineName=name, ParallelismConfiguration={"MaxParallelExecutionSteps": 1}
    )
    run = shop.end(answer["PipelineExecutionArn"])
    spans = sorted((step["StartTime"], step["EndTime"]) for step in run.steps.values())
    assert all(spans[i][1] <= spans[i + 1][0] for i in range(2))
    assert run.described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 1}


def test_an_equal_step_is_taken_from_the_cache(shop: Workshop) -> None:
    shop.put("raw/a.txt", "1")
    cache = {"Enabled": True, "ExpireAfter": "PT1H"}
    folder = {
        "Std:Join": {
            "On": "/",
            "Values": [f"s3://{BUCKET}/runs", {"Get": "Execution.PipelineExecutionId"}],
        }
    }
    make = shop.script(
        "Make",
        "(out/'n'/'n.txt').write_text('x')",
        inputs={"raw": {"Get": "Parameters.Source"}},
        outputs={"n": folder},
        CacheConfig=cache,
    )
    out = "ProcessingOutputConfig.Outputs['n'].S3Output.S3Uri"
    use = shop.script("Use", "(inp/'n'/'n.txt').read_text()", inputs={"n": get("Make", out)})
    source = {"Name": "Source", "Type": "String", "DefaultValue": f"s3://{BUCKET}/raw/"}
    name = shop.create(make, use, Parameters=[source])
    first = shop.end(shop.start(name))
    second = shop.end(shop.start(name))
    assert (first.status, second.status) == ("Succeeded", "Succeeded")
    taken = second.steps["Make"]
    assert taken["CacheHitResult"] == {"SourcePipelineExecutionArn": first.arn}
    assert taken["Metadata"] == first.steps["Make"]["Metadata"]
    assert "CacheHitResult" not in second.steps["Use"]
    third = shop.end(shop.start(name, Source=f"s3://{BUCKET}/raw"))
    assert "CacheHitResult" not in third.steps["Make"]
    other = shop.create(make, use, Parameters=[source])
    assert "CacheHitResult" not in shop.end(shop.start(other)).steps["Make"]


def test_a_throttled_call_is_retried_as_the_policy_says(shop: Workshop) -> None:
    policy = {"ExceptionType": ["Step.THROTTLING"], "IntervalSeconds": 0, "MaxAttempts": 2}
    step = shop.script("Prepare", RetryPolicies=[policy])
    shop.aws.sagemaker.fail("CreateProcessingJob", "ThrottlingException", 2)
    run = shop.run(step)
    assert (run.status, run.steps["Prepare"]["AttemptCount"]) == ("Succeeded", 3)
    shop.aws.sagemaker.fail("CreateProcessingJob", "ThrottlingException", 3)
    run = shop.run(step)
    assert run.status == "Failed"
    assert "Failed to invoke sagemaker:CreateProcessingJob" in run.reason("Prepare")
    assert run.steps["Prepare"]["AttemptCount"] == 3


def test_a_limit_without_a_policy_is_said_in_the_services_words(shop: Workshop) -> None:
    shop.aws.sagemaker.fail("CreateProcessingJob", "ResourceLimitExceeded", 1)
    run = shop.run(shop.script("Prepare"))
    assert run.reason("Prepare").endswith(
        f"\nRetry not appropriate on execution of step with PipelineExecutionArn {run.arn} and "
        "StepId Prepare. No retry policy configured for the exception type "
        "SAGEMAKER_RESOURCE_LIMIT."
    )


def test_a_job_that_failed_by_itself_is_tried_again(shop: Workshop) -> None:
    kinds = ["SageMaker.JOB_INTERNAL_ERROR", "SageMaker.CAPACITY_ERROR"]
    policy = {"ExceptionType": kinds, "IntervalSeconds": 0, "MaxAttempts": 3}
    reason = "CapacityError: Unable to provision requested ML compute capacity."
    shop.aws.sagemaker.fail_job("processing", reason, times=2)
    run = shop.run(shop.script("Prepare", RetryPolicies=[policy]))
    assert (run.status, run.steps["Prepare"]["AttemptCount"]) == ("Succeeded", 3)
    shop.aws.sagemaker.fail_job("processing", reason, times=1)
    run = shop.run(shop.script("Prepare"))
    assert run.reason("Prepare").startswith(f"ClientError: {reason}")


def test_each_change_of_status_is_an_event(shop: Workshop, eventually: Any) -> None:
    tap = Tap.make(shop.aws, "tap-pipelines")
    events = shop.aws.client("events")
    pattern = {"source": ["aws.sagemaker"], "detail-type": [{"prefix": "SageMaker Model Building"}]}
    events.put_rule(Name="tap", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="tap", Targets=[{"Id": "tap", "Arn": tap.arn}])
    run = shop.run(shop.script("Prepare"), gate("Gate", 0, otherwise=[fail("No", "why")]))
    status = "currentPipelineExecutionStatus"
    eventually(lambda: [e for e in tap.events() if e["detail"].get(status) == "Failed"])
    seen = tap.heard
    execution = [e for e in seen if "currentPipelineExecutionStatus" in e["detail"]]
    assert [e["detail"]["currentPipelineExecutionStatus"] for e in execution] == [
        "Executing",
        "Failed",
    ]
    last = execution[-1]
    assert last["detail-type"] == "SageMaker Model Building Pipeline Execution Status Change"
    assert last["detail"]["previousPipelineExecutionStatus"] == "Executing"
    assert last["detail"]["pipelineExecutionArn"] == run.arn
    assert last["resources"] == [run.described["PipelineArn"], run.arn]
    assert last["detail"]["executionEndTime"].endswith("Z")
    steps = [e["detail"] for e in seen if e["detail"].get("stepName") == "Prepare"]
    assert [each["currentStepStatus"] for each in steps] == ["Starting", "Executing", "Succeeded"]
    assert steps[-1]["stepType"] == "Processing"
    assert steps[-1]["metadata"]["processingJob"]["arn"].startswith("arn:aws:sagemaker:")
    (failed,) = [
        e["detail"]
        for e in seen
        if e["detail"].get("stepName") == "No" and e["detail"]["currentStepStatus"] == "Failed"
    ]
    assert failed["failureReason"] == "why"


def test_executions_and_steps_are_counted(shop: Workshop) -> None:
    name = shop.create(shop.script("Prepare"), gate("Gate", 0, otherwise=[fail("No", "why")]))
    shop.end(shop.start(name))

    def total(metric: str, **dimensions: str) -> float:
        answer = shop.aws.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Sagemaker/ModelBuildingPipeline",
            MetricName=metric,
            Dimensions=[{"Name": n, "Value": v} for n, v in dimensions.items()],
            StartTime=datetime.now(UTC) - timedelta(minutes=5),
            EndTime=datetime.now(UTC) + timedelta(minutes=5),
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])

    assert total("ExecutionStarted", PipelineName=name) == 1
    assert total("ExecutionFailed", PipelineName=name) == 1
    assert total("ExecutionSucceeded", PipelineName=name) == 0
    assert total("ExecutionDuration", PipelineName=name) > 0
    assert total("StepSucceeded", PipelineName=name, StepName="Prepare") == 1
    assert total("StepFailed", PipelineName=name, StepName="No") == 1


def test_a_pipeline_that_runs_is_not_deleted_and_an_update_is_a_new_version(
    shop: Workshop,
) -> None:
    sagemaker = shop.sagemaker
    name = shop.create(shop.script("Long", "import time; time.sleep(60)"), name="p")
    arn = shop.start(name)
    shop.reaches(arn, "Long")
    code, text = words(sagemaker.delete_pipeline, PipelineName=name)
    assert (code, arn in text) == ("ConflictException", True)
    short = json.dumps({"Version": "2020-12-01", "Steps": [fail("F", "short")]})
    updated = sagemaker.update_pipeline(PipelineName=name, PipelineDefinition=short)
    assert updated["PipelineVersionId"] == 2
    told = sagemaker.describe_pipeline_definition_for_execution(PipelineExecutionArn=arn)
    assert "Long" in told["PipelineDefinition"]
    assert sagemaker.describe_pipeline(PipelineName=name)["PipelineDefinition"] == short
    old = sagemaker.describe_pipeline(PipelineName=name, PipelineVersionId=1)
    assert "Long" in old["PipelineDefinition"]
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert shop.end(arn).described["PipelineVersionId"] == 1
    assert shop.end(shop.start(name)).reason("F") == "short"
    assert words(shop.create, fail("F", "x"), name=name) == (
        "ValidationException",
        "Pipeline names must be unique within an AWS account and region. "
        "Pipeline with name (p) already exists.",
    )
    sagemaker.delete_pipeline(PipelineName=name)
    assert words(sagemaker.describe_pipeline_execution, PipelineExecutionArn=arn)[0] == (
        "ResourceNotFound"
    )


def test_a_role_that_sagemaker_may_not_assume_makes_no_pipeline(
    shop: Workshop, role_with: Any
) -> None:
    role = role_with(shop.aws, "other", [])
    code, text = words(shop.create, fail("F", "x"), role=role)
    assert code == "ValidationException"
    assert "Could not assume role" in text


def test_a_role_that_is_gone_fails_the_step(shop: Workshop) -> None:
    role = make_role(shop.aws, "short-lived", pipeline_statements())
    name = shop.create(shop.script("Prepare"), role=role)
    iam = shop.aws.client("iam")
    iam.delete_role_policy(RoleName="short-lived", PolicyName="p")
    iam.delete_role(RoleName="short-lived")
    run = shop.end(shop.start(name))
    assert run.reason("Prepare").startswith(f"ClientError: Could not assume role {role}. ")


def test_a_reset_ends_what_runs(shop: Workshop) -> None:
    arn = shop.start(shop.create(shop.script("Long", "import time; time.sleep(60)")))
    shop.reaches(arn, "Long")
    shop.aws.reset()
    assert shop.sagemaker.list_pipelines()["PipelineSummaries"] == []
    assert shop.sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []

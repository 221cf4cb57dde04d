"""Scenario `hosting`: approved versions go live, and a bad one comes back by itself."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.process import PROJECT
from rehearsal.report.model import Check, ChecksCard, FigureCard, Flow, Outcome, TableCard
from rehearsal.scenarios.support.context import Context
from rehearsal.scenarios.support.drift import look_for_drift, most_drifted, send_strangers
from rehearsal.scenarios.support.pipelines import ended, read_json, start
from rehearsal.scenarios.support.traffic import Traffic, picture, traffic
from rehearsal.scenarios.support.waiting import NotInTime, until
from rehearsal.scenarios.support.watching import Watch, watching
from rehearsal.scenarios.training import upload_customers

NAME = "hosting"
TITLE = "An approved version goes live, and a bad one comes back by itself"
ORDER = 5
REAL = (
    "The endpoint is a real HTTP server with the model's own code in it; approvals went through"
    " EventBridge and the deployed Step Functions state machine, and CloudFormation changed the"
    " hosting stack under a role of its own.",
    "Traffic was shifted request by request; the alarm that called the bad version back was"
    " computed from the requests that failed.",
)
STOOD_IN = (
    "An endpoint's instances are one process a variant on this machine; instance counts and"
    " scaling are only recorded. The state machine's waits and the alarms' periods were shortened.",
)
FLOW = Flow(
    "The way of a version",
    [
        ("Approval", "model registry", False),
        ("Rule", "Amazon EventBridge", False),
        ("Release", "AWS Step Functions", False),
        ("Live version", "SSM parameter", False),
        ("Hosting stack", "AWS CloudFormation", False),
        ("Canary", "SageMaker endpoint", False),
        ("Alarms", "Amazon CloudWatch", False),
    ],
)
WATCHED = "Requests that have drifted ring the alarm"
WAITS = 0.2  # of the state machine's waits
PERIODS = 0.05  # of the alarms' periods
ASKING = 3
RELEASE_SECONDS = 120
CUSTOMER = (
    "Female,0,Yes,No,3,Yes,No,Fiber optic,No,Yes,No,No,Yes,No,Month-to-month,Yes,"
    "Electronic check,70.35,211.05\n"
)
BROKEN = """
def model_fn(folder):
    return None

def predict_fn(customers, model):
    raise RuntimeError("this version never worked")

def input_fn(body, kind):
    return body

def output_fn(prediction, accept):
    return "", accept
"""


@dataclass
class Story:
    """What happened: releases as the bus told of them, marks for the picture, and checks."""

    context: Context
    released: Watch
    marks: list[tuple[float, str]] = field(default_factory=list[tuple[float, str]])
    checks: list[Check] = field(default_factory=list[Check])
    versions: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])

    def check(self, promise: str, passed: bool, found: str) -> None:
        """Note a promise that was put to the test."""
        self.checks.append(Check(promise, passed, found))


def run(context: Context) -> Outcome:
    """Train two versions, approve them one after the other, then approve one that cannot work.

    Raises:
        NotInTime: a release did not end.
    """
    context.aws.scale_waits(WAITS)
    context.aws.scale_periods(PERIODS)
    try:
        pattern = {"source": ["sagelens.release"]}
        with watching(context, context.outputs["EventBusName"], pattern) as released:
            return _tell(Story(context, released))
    finally:
        context.aws.scale_waits(1)
        context.aws.scale_periods(1)


def _tell(story: Story) -> Outcome:
    context = story.context
    first, second = _two_versions(context)
    context.say("approving the first version")
    _first(story, first)
    asks = [_asker(context) for _ in range(ASKING)]
    with traffic(asks) as heard:
        context.say("approving the second version")
        _second(story, second, heard)
        context.say("approving a version that cannot work")
        _bad(story, second, heard)
    context.say("asking about customers of a changed world")
    drifted = _drift(story)
    facts = _facts(story, heard)
    cards = [
        FigureCard(
            "The same customer, asked all the time",
            picture(heard.said, story.marks),
            "Answers over time while versions change",
            note="Each dot is one answer. While a canary is out, both versions answer.",
            wide=True,
        ),
        *drifted,
        TableCard(
            "The versions", ("Version", "What", "Release", "Serves afterwards"), story.versions
        ),
        ChecksCard("What was checked", story.checks),
    ]
    problems = [f"{check.promise}: {check.found}" for check in story.checks if not check.passed]
    return Outcome(facts, cards, problems, _note(heard), _numbers(facts), FLOW)


def _two_versions(context: Context) -> tuple[str, str]:
    """Train two versions that answer differently, at once."""
    context.say("training two versions")
    data = upload_customers(context)
    pipeline = context.outputs["ChurnPipelineName"]
    started = [
        start(context, pipeline, DataUrl=data, num_round="40"),
        start(
            context, pipeline, DataUrl=data, num_round="120", gamma="0", max_depth="6", Least="0.5"
        ),
    ]
    arns: list[str] = []
    for each in [ended(context, arn) for arn in started]:
        registered = each.step("Register").get("Metadata", {}).get("RegisterModel")
        if registered is None:
            raise NotInTime(f"the pipeline registered no model: {each.words()}")
        arns.append(registered["Arn"])
    return min(arns, key=_number), max(arns, key=_number)


def _number(package: str) -> int:
    return int(package.rpartition("/")[2])


def _approve(story: Story, package: str) -> dict[str, Any]:
    """Approve a version and wait for what the platform says of its release."""
    before = len(story.released.events())
    story.context.client("sagemaker").update_model_package(
        ModelPackageArn=package,
        ModelApprovalStatus="Approved",
        ApprovalDescription="approved in the rehearsal",
    )

    def told() -> dict[str, Any] | None:
        return next(
            (
                event
                for event in story.released.events()[before:]
                if event["detail"].get("version") == package
            ),
            None,
        )

    return until(told, f"the release of version {_number(package)}", RELEASE_SECONDS)


def _endpoint(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = context.client("sagemaker").describe_endpoint(
        EndpointName=context.outputs["ChurnEndpointName"]
    )
    return found


def _live(context: Context) -> str:
    name = context.outputs["ChurnLiveVersionParameter"]
    return str(context.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def _asker(context: Context) -> Any:
    runtime = context.client("sagemaker-runtime")
    name = context.outputs["ChurnEndpointName"]

    def ask() -> float:
        answer = runtime.invoke_endpoint(
            EndpointName=name, Body=CUSTOMER, ContentType="text/csv", Accept="text/csv"
        )
        return float(answer["Body"].read())

    return ask


def _documented_client(context: Context) -> str:
    """Return what the example in the project's folder says, run as a person would."""
    command = [sys.executable, "examples/predict_churn.py"]
    asked = [*command, "--endpoint", context.outputs["ChurnEndpointName"]]
    ran = subprocess.run(
        asked, cwd=PROJECT, env=context.aws.environment(), capture_output=True, text=True
    )
    return (ran.stdout or ran.stderr.strip().rpartition("\n")[2]).strip()


def _first(story: Story, package: str) -> None:
    told = _approve(story, package)
    said = _documented_client(story.context)
    story.check(
        "The first approval brings the endpoint up, and the documented client gets an answer",
        told["detail-type"] == "Release Succeeded" and "probability" in said,
        f"{told['detail-type']}; {said}",
    )
    story.versions.append((str(_number(package)), "40 trees", told["detail-type"], "this version"))


def _second(story: Story, package: str, heard: Traffic) -> None:
    until(lambda: len(heard.said) > 50, "some traffic", 20)
    begun = heard.now()
    story.marks.append((begun, "second version approved"))
    told = _approve(story, package)
    story.marks.append((heard.now(), "released"))
    after = heard.now()
    until(lambda: len(heard.since(after)) > 20, "some traffic", 20)
    before = {each.answer for each in heard.said if each.at < begun}
    later = {each.answer for each in heard.since(after)}
    failed = sum(each.answer is None for each in heard.since(begun))
    story.check(
        "The second version is shifted in by canary, and no request fails meanwhile",
        told["detail-type"] == "Release Succeeded" and not failed and not (before & later),
        f"{told['detail-type']}; {len(heard.since(begun))} requests, {failed} failed",
    )
    shares = [each.answer in later for each in heard.since(begun) if each.at < after]
    story.check(
        "During the canary both versions answer",
        0 < sum(shares) < len(shares),
        f"{sum(shares)} of {len(shares)} answers came from the second version before it was done",
    )
    story.versions.append(
        (
            str(_number(package)),
            "120 deeper trees",
            told["detail-type"],
            "this version",
        )
    )


def _bad(story: Story, good: str, heard: Traffic) -> None:
    """Register a version whose code fails at each request, and approve it."""
    context = story.context
    package = _register_broken(context, good)
    story.marks.append((heard.now(), "bad version approved"))
    told = _approve(story, package)
    story.marks.append((heard.now(), "rolled back"))
    after = heard.now()
    until(lambda: len(heard.since(after)) > 20, "some traffic", 20)
    failed = sum(each.answer is None for each in heard.since(after))
    back = _live(context) == good and not failed
    story.check(
        "A version that fails its requests is taken back by its alarm, without anybody",
        told["detail-type"] == "Release Failed" and back,
        f"{told['detail-type']}: {told['detail'].get('reason', '')}; afterwards {failed} of"
        f" {len(heard.since(after))} requests failed",
    )
    story.check(
        "The live version's parameter and the stack say what is served",
        _live(context) == good
        and _configuration(context) == _endpoint(context)["EndpointConfigName"],
        f"version {_number(_live(context))}; the stack has {_configuration(context)}, the endpoint"
        f" {_endpoint(context)['EndpointConfigName']}",
    )
    story.versions.append(
        (
            str(_number(package)),
            "fails each request",
            told["detail-type"],
            f"version {_number(good)}",
        )
    )


def _drift(story: Story) -> list[TableCard]:
    """Let the deployed watch look at requests that have changed."""
    context = story.context
    pattern = {"source": ["sagelens.drift"]}
    with watching(context, context.outputs["EventBusName"], pattern) as asked:
        rows = send_strangers(context)
        looked = look_for_drift(context)
        if looked["status"] != "SUCCEEDED":
            story.check(WATCHED, False, f"the watch {looked['status']}: {looked.get('cause')}")
            return []
        events = until(lambda: asked.events() or None, "the call for retraining", 20)
    report = read_json(context, f"{events[0]['detail']['report'].rstrip('/')}/drift.json")
    alarm = _rings(context)
    story.check(
        WATCHED,
        report["status"] == "drifted" and alarm,
        f"{report['summary']} The alarm {'rings' if alarm else 'is silent'}.",
    )
    story.check("Drift starts a retraining, once", *_retrained(context))
    return [
        TableCard(
            "What has drifted",
            ("Feature", "PSI", "Why"),
            most_drifted(report),
            f"Besides the one customer of before, {rows} others were asked about, many with a"
            " contract or a way of paying that the model never saw. PSI from 0.2 on counts, where"
            " chance does not explain it.",
        )
    ]


def _rings(context: Context) -> bool:
    def look() -> bool | None:
        (alarm,) = context.client("cloudwatch").describe_alarms(
            AlarmNames=[context.outputs["ChurnDriftAlarmName"]]
        )["MetricAlarms"]
        return alarm["StateValue"] == "ALARM" or None

    try:
        return until(look, "the drift alarm", 10)
    except NotInTime:
        return False


def _retrained(context: Context) -> tuple[bool, str]:
    """Let the schedule that drift has made fire, and see what it starts."""
    client = context.client("sagemaker")
    named = {"PipelineName": context.outputs["ChurnPipelineName"], "MaxResults": 100}

    def begun() -> list[str]:
        found = client.list_pipeline_executions(**named)["PipelineExecutionSummaries"]
        why = [str(each.get("PipelineExecutionDescription", "")) for each in found]
        return [words for words in why if "retrain" in words]

    def fired() -> bool | None:
        context.aws.fire_schedules(86_400)
        return bool(begun()) or None

    try:
        until(fired, "a retraining", 20, pause=0.5)
    except NotInTime as error:
        return False, str(error)
    return len(begun()) == 1, "; ".join(begun())


def _configuration(context: Context) -> str:
    """Return the endpoint configuration that the hosting stack has."""
    cloudformation = context.client("cloudformation")
    stacks = [each["StackName"] for each in cloudformation.describe_stacks()["Stacks"]]
    (hosting,) = [name for name in stacks if name.endswith("-hosting-churn")]
    found = cloudformation.describe_stack_resources(StackName=hosting)["StackResources"]
    (arn,) = [
        each["PhysicalResourceId"]
        for each in found
        if each["ResourceType"] == "AWS::SageMaker::EndpointConfig"
    ]
    return str(arn).rpartition("/")[2]


def _register_broken(context: Context, good: str) -> str:
    """Register a version like the good one, but for its code."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(BROKEN.encode())
        archive.addfile(member, io.BytesIO(BROKEN.encode()))
    bucket, key = context.outputs["ModelsBucketName"], "churn/runs/broken/model/model.tar.gz"
    context.client("s3").put_object(Bucket=bucket, Key=key, Body=content.getvalue())
    sagemaker = context.client("sagemaker")
    like = sagemaker.describe_model_package(ModelPackageName=good)["InferenceSpecification"]
    (container,) = like["Containers"]
    kept = {name: container[name] for name in ("Image", "Environment") if name in container}
    specification = {**like, "Containers": [{**kept, "ModelDataUrl": f"s3://{bucket}/{key}"}]}
    made = sagemaker.create_model_package(
        ModelPackageGroupName=context.outputs["ChurnModelGroupName"],
        InferenceSpecification=specification,
        ModelApprovalStatus="PendingManualApproval",
    )
    return str(made["ModelPackageArn"])


def _note(heard: Traffic) -> str:
    return (
        f"{ASKING} clients asked about the same customer {len(heard.said):,} times in all while"
        " three versions were approved one after the other. The third was made to fail each"
        " request."
    )


def _numbers(facts: Mapping[str, Any]) -> Sequence[tuple[str, str, str]]:
    return [
        ("Requests", f"{facts['requests']:,}", ""),
        ("Failed, all by the bad version", str(facts["failed"]), ""),
        ("Versions released", str(facts["released"]), "of 3"),
    ]


def _facts(story: Story, heard: Traffic) -> dict[str, Any]:
    return {
        "requests": len(heard.said),
        "failed": sum(each.answer is None for each in heard.said),
        "released": sum(version[2] == "Release Succeeded" for version in story.versions),
        "versions": [list(version) for version in story.versions],
        "checks": {check.promise: check.passed for check in story.checks},
        "live": json.dumps(_live(story.context)).strip('"'),
    }

"""Findings that contradict the design: each skipped by its exact id and resource, with the reason.

A skip that matches nothing any more fails the test of its judge: delete it then.
cdk-nag's findings are not skipped here but acknowledged beside the constructs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tests.security.judges.findings import Finding

ALL = ("demo", "dev", "prod")
DISPOSABLE = ("demo", "dev")


@dataclass(frozen=True)
class Skip:
    """One check that does not apply to one or several resources.

    Args:
        judge: the judge's name.
        rule: the check's exact id.
        resources: `<stack>/<logical id>`, the stack without `sagelens-<environment>-`.
        environments: where the finding appears.
        reason: why the design is right and the check is not.
        about: words that the finding's message must hold, where one rule says several things.
    """

    judge: str
    rule: str
    resources: tuple[str, ...]
    environments: tuple[str, ...]
    reason: str
    about: str = ""

    def matches(self, finding: Finding, environment: str, resource: str) -> bool:
        """Whether this skip lets one finding pass."""
        return (
            environment in self.environments
            and (finding.judge, finding.rule) == (self.judge, self.rule)
            and finding.resource == f"sagelens-{environment}-{resource}"
            and self.about in finding.message
        )


TRACKER = "training/TrackingWorkerFunction996649B5"
DATA_STARTER = "training/ChurnOnDataWorkerFunction15BA58F3"
DRIFT_STARTER = "training/ChurnOnDriftWorkerFunction0504B351"
WITH_DATA_STARTS = ("demo", "prod")
VERSIONS = "releases/VersionsWorkerFunction66C1CF4A"
SCALER = "releases/ScalingWorkerFunction7F43F126"
WITH_INSTANCES = ("demo", "prod")
WITH_DRIFT_STARTS = ("demo", "prod")
# What follows the events about images: function, logs and dead-letter queue of each.
FOLLOWERS = (
    (
        "results/ImageResultsFollowerWork",
        "erFunction25C775E0",
        "erLogsC0B144AF",
        "DeadLetterQueueED4718C5",
    ),
    (
        "results/FaceBlurFollowerWork",
        "erFunction08AB88BD",
        "erLogs635A8425",
        "DeadLetterQueueA8D0010B",
    ),
)
VIDEO_FUNCTION = "video/VideoAnalysisWorkerFunction91258F44"
SHELVES = (
    "retail/CountingWorkerFunction51EE3F16",
    "retail/ImageAnalysisWorkerFunctionF0170FB4",
    "retail/OrdersWorkerFunctionFA0524A2",
)
GROUP_EMPTIER = "training/ChurnGroupEmptierWorkerFunction645A9CD3"

# dev has nothing that bills by the hour, and so no workbench.
WITH_WORKBENCH = ("demo", "prod")
KEEPER = "workbench/KeeperWorkerFunctionDBC0C4E8"

LOG_BUCKET = "foundation/LogBucketCC3B17E8"
DATA_BUCKETS = (
    "foundation/DataBucketE3889A50",
    "foundation/ImagesBucket1E86AFB2",
    "foundation/ModelsBucketA3610ED4",
)
CDK_PROVIDER = "foundation/CustomS3AutoDeleteObjectsCustomResourceProvider"

_IN_A_NETWORK = (
    "AWS Lambda, Giving Lambda functions access to resources in an Amazon VPC: the network "
    "interfaces do not exist yet, so AWS documents these actions on *; a Deny keeps the "
    "function's own code from them"
)

WRITTEN = (
    Skip(
        "control-tower",
        "s3_bucket_default_encryption_kms_check",
        (LOG_BUCKET,),
        ALL,
        "access logs arrive only in a bucket whose default encryption is SSE-S3",
    ),
    Skip(
        "control-tower",
        "s3_bucket_logging_enabled_check",
        (LOG_BUCKET,),
        ALL,
        "a log bucket that logged itself would never come to rest",
    ),
    Skip(
        "control-tower",
        "s3_bucket_object_lock_enabled_check",
        (LOG_BUCKET, *DATA_BUCKETS),
        ALL,
        "people's images must stay deletable; versions and life-cycle rules protect the data",
    ),
    Skip(
        "control-tower",
        "s3_event_notifications_enabled_check",
        (LOG_BUCKET, "foundation/ModelsBucketA3610ED4"),
        ALL,
        "nothing acts on new objects in these buckets",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("vision/ImageAnalysisWorkDeadLetterQueue7CD93958",),
        ALL,
        "it is the dead-letter queue; naming its source here would be a circular reference",
    ),
    Skip(
        "control-tower",
        "cloudwatch_log_group_retention_period_check",
        ("vision/ImageAnalysisWorkerLogs1ED6DF4E",),
        DISPOSABLE,
        "logs of environments for trying things are kept for 30 days; prod keeps them for a year",
    ),
    Skip(
        "control-tower",
        "lambda_inside_vpc_check",
        (f"{CDK_PROVIDER}Handler9D90184F", "vision/ImageAnalysisWorkerFunctionF0170FB4"),
        DISPOSABLE,
        "without a network nothing bills by the hour; prod has one",
    ),
    Skip(
        "iam",
        "confused-deputy",
        (f"{CDK_PROVIDER}Role3B1BD092",),
        (*DISPOSABLE, "every"),
        "CDK writes this role for emptying buckets, and lets nobody add to its trust policy",
    ),
    Skip(
        "iam",
        "resource-star",
        (
            "retail/CountingWorkerRole06124C2F",
            "retail/ImageAnalysisWorkerRole261800C5",
            "retail/OrdersWorkerRole168CA738",
        ),
        ("every",),
        "AWS Lambda, Giving Lambda functions access to resources in an Amazon VPC: the network "
        "interfaces do not exist yet, so AWS documents these actions on *; a Deny keeps the "
        "function's own code from them",
        about="statement JoinNetwork",
    ),
    Skip(
        "iam",
        "resource-star",
        ("vision/ImageAnalysisWorkerRole261800C5",),
        ("prod", "every"),
        _IN_A_NETWORK,
        about="statement JoinNetwork",
    ),
    Skip(
        "iam",
        "resource-star",
        (
            "custom-labels/KeeperWorkerRole589AE567",
            "custom-labels/ShelfTrainingWorkerRole049E47C0",
            "video/VideoAnalysisWorkerRole7AA70FD3",
        ),
        ("every",),
        _IN_A_NETWORK,
        about="statement JoinNetwork",
    ),
    Skip(
        "cfn-lint",
        "W3005",
        (f"{CDK_PROVIDER}Handler9D90184F",),
        DISPOSABLE,
        "CDK writes this dependency, which is redundant and harmless",
    ),
    Skip(
        "cfn-lint",
        "W3005",
        ("vision/ImageAnalysisWorkerFunctionF0170FB4",),
        ALL,
        "CDK writes this dependency, which is redundant and harmless",
    ),
    Skip(
        "cloudformation-validate",
        "W3005",
        (f"{CDK_PROVIDER}Handler9D90184F",),
        DISPOSABLE,
        "CDK writes this dependency, which is redundant and harmless",
    ),
    Skip(
        "cloudformation-validate",
        "W3005",
        ("vision/ImageAnalysisWorkerFunctionF0170FB4",),
        ALL,
        "CDK writes this dependency, which is redundant and harmless",
    ),
    *(
        Skip(
            judge,
            "W3005",
            ("vision/ImageBackfillWorkerFunction5DDAD92D",),
            ("demo",),
            "CDK writes this dependency, which is redundant and harmless",
        )
        for judge in ("cfn-lint", "cloudformation-validate")
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("vision/ImageAnalysisBackfillWorkDeadLetterQueue67842857",),
        ("demo",),
        "it is the dead-letter queue; naming its source here would be a circular reference",
    ),
    *(
        Skip(
            "control-tower",
            "cloudwatch_log_group_retention_period_check",
            (logs,),
            ("demo",),
            "logs of environments for trying things are kept for 30 days; prod keeps them for a "
            "year",
        )
        for logs in (
            "vision/ImageBackfillMachineLogsAB03BC62",
            "vision/ImageBackfillWorkerLogs2189BBA5",
        )
    ),
    Skip(
        "control-tower",
        "lambda_inside_vpc_check",
        ("vision/ImageBackfillWorkerFunction5DDAD92D",),
        ("demo",),
        "without a network nothing bills by the hour; prod has one",
    ),
    Skip(
        "iam",
        "RESOURCE_MISMATCH",
        ("vision/ImageBackfillMachineRoleChildren9E7B2EAB",),
        ("demo",),
        "AWS Step Functions, IAM policies for using Distributed Map states: DescribeExecution on "
        "the executions of the state machine; parliament asks for express ones besides",
        about="statement MindChildren",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("training/ChurnPipelineAnnouncementsUndelivered767CF05F",),
        ALL,
        "it is where undeliverable announcements end; nothing works it off",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("training/ChurnOnDataWorkDeadLetterQueueBEAF9920",),
        WITH_DATA_STARTS,
        "it is the dead-letter queue; naming its source here would be a circular reference",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("training/ChurnOnDriftWorkDeadLetterQueueDD162B9E",),
        WITH_DRIFT_STARTS,
        "it is the dead-letter queue; naming its source here would be a circular reference",
    ),
    Skip(
        "control-tower",
        "cloudwatch_log_group_retention_period_check",
        (
            "training/ChurnGroupEmptierWorkerLogs3B744A49",
            "training/TrackingWorkerLogsC2DBA9FB",
        ),
        DISPOSABLE,
        "logs of environments for trying things are kept for 30 days; prod keeps them for a year",
    ),
    Skip(
        "control-tower",
        "cloudwatch_log_group_retention_period_check",
        ("training/ChurnOnDataWorkerLogsE2BEBD46",),
        ("demo",),
        "logs of environments for trying things are kept for 30 days; prod keeps them for a year",
    ),
    Skip(
        "control-tower",
        "lambda_inside_vpc_check",
        (TRACKER,),
        ALL,
        "it calls an MLflow app, for which AWS documents no VPC endpoint; it holds no data",
    ),
    Skip(
        "control-tower",
        "lambda_inside_vpc_check",
        (GROUP_EMPTIER,),
        DISPOSABLE,
        "it deletes model versions when its stack is deleted, and touches no data",
    ),
    Skip(
        "control-tower",
        "lambda_inside_vpc_check",
        (DATA_STARTER, DRIFT_STARTER),
        ("demo",),
        "without a network nothing bills by the hour; prod has one",
    ),
    Skip(
        "iam",
        "resource-star",
        (
            "training/ChurnOnDataWorkerRole8268D8E4",
            "training/ChurnOnDriftWorkerRole76168E47",
        ),
        ("prod", "every"),
        "AWS Lambda, Giving Lambda functions access to resources in an Amazon VPC: the network "
        "interfaces do not exist yet, so AWS documents these actions on *; a Deny keeps the "
        "function's own code from them",
        about="statement JoinNetwork",
    ),
    Skip(
        "iam",
        "RESOURCE_MISMATCH",
        ("training/TrackingWorkerRoleA2ECF84A",),
        (*ALL, "every"),
        "Amazon SageMaker AI, Set up IAM permissions for MLflow Apps: these actions take the app's "
        "ARN; parliament knows tracking servers only, which are older",
        about="statement WriteRuns",
    ),
    Skip(
        "iam",
        "RESOURCE_MISMATCH",
        ("access/DataScientistRoleDefaultPolicyDC96FA23",),
        (*ALL, "every"),
        "Amazon SageMaker AI, Set up IAM permissions for MLflow Apps: these actions take the app's "
        "ARN; parliament knows tracking servers only, which are older",
        about="statement UseMlflow",
    ),
    Skip(
        "iam",
        "RESOURCE_MISMATCH",
        ("training/ChurnGroupDB9BC7BF",),
        ("every",),
        "Amazon SageMaker AI, Deploy a Model Version from a Different Account: its policy names "
        "CreateModel on model packages",
        about="statement UseVersions",
    ),
    Skip(
        "iam",
        "resource-star",
        ("training/ChurnAutopilotJobRole9CCCE4C0",),
        ("every",),
        "Amazon SageMaker AI, How to use SageMaker AI execution roles: the network interfaces do "
        "not exist yet, so AWS documents these actions on *",
        about="statement JoinNetwork",
    ),
    Skip(
        "cfn-lint",
        "E3006",
        ("training/TrackingApp1B347ABC",),
        ALL,
        "the stack leaves it out where the environment names a Region without MLflow apps",
    ),
    Skip(
        "cfn-lint",
        "E3006",
        ("foundation/Budget69569A1A",),
        ALL,
        "the stack leaves it out where the environment names a Region without AWS Budgets",
    ),
    Skip(
        "cfn-lint",
        "E3006",
        ("training/ChurnGroupDB9BC7BF",),
        ALL,
        "training is refused where the environment names a Region without model package groups",
    ),
    *(
        Skip(
            judge,
            "W3005",
            (function,),
            environments,
            "CDK writes this dependency, which is redundant and harmless",
        )
        for judge in ("cfn-lint", "cloudformation-validate")
        for function, environments in (
            (TRACKER, ALL),
            (VIDEO_FUNCTION, ("demo",)),
            *((each, ("demo",)) for each in SHELVES),
            (GROUP_EMPTIER, DISPOSABLE),
            (DATA_STARTER, WITH_DATA_STARTS),
            (DRIFT_STARTER, WITH_DRIFT_STARTS),
            (VERSIONS, ALL),
            (SCALER, WITH_INSTANCES),
            *((f"{each}{function}", ("demo",)) for each, function, _, _ in FOLLOWERS),
        )
    ),
    *(
        Skip("control-tower", check, (f"{each}{part}",), ("demo",), reason)
        for each, function, logs, dead_letters in FOLLOWERS
        for check, part, reason in (
            (
                "cloudwatch_log_group_retention_period_check",
                logs,
                "logs of environments for trying things are kept for 30 days",
            ),
            (
                "lambda_inside_vpc_check",
                function,
                "without a network nothing bills by the hour; prod has one",
            ),
            (
                "sqs_dlq_check",
                dead_letters,
                "it is the dead-letter queue; naming its source here would be a circular reference",
            ),
        )
    ),
    *(
        Skip(
            "control-tower",
            "lambda_inside_vpc_check",
            (function,),
            environments,
            "it runs during deployments only and holds no data; in a network it would take three "
            "interface endpoints that bill by the hour",
        )
        for function, environments in ((VERSIONS, ALL), (SCALER, WITH_INSTANCES))
    ),
    Skip(
        "control-tower",
        "cloudwatch_log_group_retention_period_check",
        ("video/VideoAnalysisMachineLogs30D51DE4", "video/VideoAnalysisWorkerLogs1C204069"),
        ("demo",),
        "logs of environments for trying things are kept for 30 days",
    ),
    Skip(
        "control-tower",
        "lambda_inside_vpc_check",
        (VIDEO_FUNCTION,),
        ("demo",),
        "without a network nothing bills by the hour",
    ),
    Skip(
        "control-tower",
        "cloudwatch_log_group_retention_period_check",
        (
            "retail/CountingWorkerLogs2819CE8E",
            "retail/ImageAnalysisWorkerLogs1ED6DF4E",
            "retail/OrdersMachineLogsA4745CCC",
            "retail/OrdersWorkerLogs30A0B7E7",
        ),
        ("demo",),
        "logs of environments for trying things are kept for 30 days",
    ),
    Skip(
        "control-tower",
        "lambda_inside_vpc_check",
        SHELVES,
        ("demo",),
        "without a network nothing bills by the hour",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        (
            "retail/CountingWorkDeadLetterQueue884BC0FC",
            "retail/ImageAnalysisWorkDeadLetterQueue7CD93958",
        ),
        ("demo",),
        "it is the dead-letter queue; naming its source here would be a circular reference",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("retail/OrdersTriggerDeadLetterQueueB594E854",),
        ("demo",),
        "it is where counted shelves end that started nothing; nothing works it off",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("video/VideoAnalysisTriggerDeadLetterQueue90D43AB4",),
        ("demo",),
        "it is where new videos end that started nothing; nothing works it off",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("releases/ChurnReleaseTriggerDeadLetterQueueFFE5F774",),
        ALL,
        "it is where approvals end that started nothing; nothing works it off",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("drift/ChurnScheduleUndelivered27B20688",),
        WITH_INSTANCES,
        "it is where starts that failed end; nothing works it off",
    ),
    *(
        Skip(
            "control-tower",
            "cloudwatch_log_group_retention_period_check",
            (group,),
            environments,
            "logs of environments for trying things are kept for 30 days; prod keeps them for a "
            "year",
        )
        for group, environments in (
            ("hosting-churn/EndpointLogs88A66289", DISPOSABLE),
            ("releases/ChurnReleaseLogsD5679D43", DISPOSABLE),
            ("releases/VersionsWorkerLogs80746132", DISPOSABLE),
            ("releases/ScalingWorkerLogsD2E562FF", ("demo",)),
            ("batch/ChurnMachineLogsEFC62C0B", ("demo",)),
            ("drift/ChurnMachineLogsEFC62C0B", ("demo",)),
            ("training/ChurnOnDriftWorkerLogs9EAB0B94", ("demo",)),
        )
    ),
    *(
        Skip(
            "security-hub",
            "SageMaker_16",
            (f"hosting-churn/Sagelens{environment.title()}ChurnModelMain",),
            (environment,),
            "the model package names its image, which lies in AWS's own registry in Amazon ECR; "
            "the mode Vpc is for private registries (ImageConfig)",
        )
        for environment in ALL
    ),
    *(
        Skip(
            judge,
            "W3005",
            (KEEPER,),
            WITH_WORKBENCH,
            "CDK writes this dependency, which is redundant and harmless",
        )
        for judge in ("cfn-lint", "cloudformation-validate")
    ),
    Skip(
        "control-tower",
        "lambda_inside_vpc_check",
        (KEEPER,),
        WITH_WORKBENCH,
        "it starts and stops notebook instances by SageMaker's API, and touches no data",
    ),
    Skip(
        "control-tower",
        "cloudwatch_log_group_retention_period_check",
        ("workbench/KeeperWorkerLogsC8CBFB98",),
        ("demo",),
        "logs of environments for trying things are kept for 30 days; prod keeps them for a year",
    ),
    Skip(
        "control-tower",
        "sqs_dlq_check",
        ("workbench/KeeperUndelivered6EFE5E1B",),
        WITH_WORKBENCH,
        "it is where invocations that failed end; nothing works it off",
    ),
    *(
        Skip(
            "control-tower",
            rule,
            (
                "workbench/AnalysisNotebookInstance2AC193FC",
                "workbench/ResearchNotebookInstance2A7A37CE",
            ),
            ("demo",),
            "without a network nothing bills by the hour; prod has one, and no direct access",
        )
        for rule in (
            "sagemaker_notebook_instance_inside_vpc_check",
            "sagemaker_notebook_no_direct_internet_access_check",
        )
    ),
    *(
        Skip(
            "iam",
            "RESOURCE_MISMATCH",
            (policy,),
            environments,
            "Amazon SageMaker AI, Set up IAM permissions for MLflow Apps: these actions take the "
            "app's ARN; parliament knows tracking servers only, which are older",
            about="statement UseMlflow",
        )
        for policy, environments in (
            ("workbench/AnalysisNotebookRoleDefaultPolicyF7D3219E", WITH_WORKBENCH),
            ("workbench/ResearchNotebookRoleDefaultPolicy6B71F5B0", ("demo",)),
        )
    ),
    Skip(
        "security-hub",
        "SageMaker_5",
        ("hosting-churn/SagelensDevChurnModelMain",),
        ("dev",),
        "Amazon SageMaker Serverless Inference has no network isolation (its page's feature "
        "exclusions), and dev pays for nothing that is idle",
    ),
)

# The same constructs make replenishment: what holds of a resource of churn's holds of its own. By
# name, and the ends of both logical ids.
TWINS = {
    f"{name.format('Churn')}{churn}": f"{name.format('Replenishment')}{own}"
    for name, churn, own in (
        ("drift/{}MachineLogs", "EFC62C0B", "F343EB0D"),
        ("drift/{}ScheduleUndelivered", "27B20688", "75912C1A"),
        ("releases/{}ReleaseLogs", "D5679D43", "5E29264B"),
        ("releases/{}ReleaseTriggerDeadLetterQueue", "FFE5F774", "F021BA1E"),
        ("training/{}Group", "DB9BC7BF", "98DF8FB7"),
        ("training/{}GroupEmptierWorkerFunction", "645A9CD3", "540FCF53"),
        ("training/{}GroupEmptierWorkerLogs", "3B744A49", "084DF294"),
        ("training/{}OnDataWorkDeadLetterQueue", "BEAF9920", "6E9F48A2"),
        ("training/{}OnDataWorkerFunction", "15BA58F3", "5A8FBFA8"),
        ("training/{}OnDataWorkerLogs", "E2BEBD46", "5CAEF459"),
        ("training/{}OnDataWorkerRole", "8268D8E4", "E5BCBA07"),
        ("training/{}OnDriftWorkDeadLetterQueue", "DD162B9E", "2415BF53"),
        ("training/{}OnDriftWorkerFunction", "0504B351", "60CD1475"),
        ("training/{}OnDriftWorkerLogs", "9EAB0B94", "E0B0E947"),
        ("training/{}OnDriftWorkerRole", "76168E47", "6025D7DE"),
        ("training/{}PipelineAnnouncementsUndelivered", "767CF05F", "3B15DC94"),
    )
}
TWINS |= {
    f"hosting-churn/Sagelens{environment.title()}ChurnModelMain": (
        f"hosting-replenishment/Sagelens{environment.title()}ReplenishmentModelMain"
    )
    for environment in ALL
}
ENDPOINT_LOGS = "EndpointLogs88A66289"
TWINS[f"hosting-churn/{ENDPOINT_LOGS}"] = f"hosting-replenishment/{ENDPOINT_LOGS}"


def _twins() -> Iterator[Skip]:
    for skip in WRITTEN:
        found = tuple(TWINS[each] for each in skip.resources if each in TWINS)
        environments = tuple(each for each in skip.environments if each in ALL)
        if found and environments:
            yield replace(skip, resources=found, environments=environments)


SKIPS = (*WRITTEN, *_twins())


def settle(
    findings: list[Finding], judge: str, environment: str, skips: tuple[Skip, ...] = SKIPS
) -> tuple[list[Finding], list[str]]:
    """Take the skipped findings out.

    Returns:
        What is left, and a sentence for each skip of this judge and environment that matched
        nothing.
    """
    left = list(findings)
    unused: list[str] = []
    for skip in skips:
        if skip.judge != judge or environment not in skip.environments:
            continue
        for resource in skip.resources:
            if not any(skip.matches(finding, environment, resource) for finding in findings):
                unused.append(
                    f"skips.py: {judge} {skip.rule} on {resource} matches nothing in "
                    f"{environment} any more: delete it"
                )
            left = [item for item in left if not skip.matches(item, environment, resource)]
    return left, unused

"""A deployment that is left running: `up`, `down` and `status`."""

from __future__ import annotations

import shutil
from pathlib import Path

from rich.console import Console

from rehearsal.demo import REGION, deploy, fresh, stack_outputs
from rehearsal.process import PROJECT, Rehearsal
from rehearsal.progress import Stages

FOLDER = PROJECT / "build" / "demo-up"
SAMPLES = "rehearsal/samples/moderation"


def up(console: Console, port: int, folder: Path = FOLDER) -> None:
    """Deploy the demo environment, leave it running and say how to use it.

    Args:
        console: where to show progress and the commands.
        port: of the embedded AWS, 0 for any free one.
        folder: receives the logs and the templates.

    Raises:
        RehearsalError: one runs already, or the deployment failed.
    """
    running = Rehearsal.find()
    if running is None:
        fresh(folder)
    with Stages(console) as stages:
        with stages.stage("Start the embedded AWS"):
            aws = Rehearsal.start(port, region=REGION, detach=True, log=folder / "server.log")
        try:
            found = deploy(aws, stages, folder)
        except BaseException:
            aws.stop()
            raise
    console.print(guide(aws.variables(), found), markup=False, soft_wrap=True)


def down(console: Console) -> int:
    """Stop what `up` started; 0 also when nothing was running."""
    aws = Rehearsal.find()
    if aws is None:
        console.print("no rehearsal is up")
        return 0
    aws.stop()
    console.print(f"stopped the rehearsal at {aws.endpoint}; nothing of it is left")
    return 0


def status(console: Console) -> int:
    """Say what is running; 0 if a rehearsal is up, else 1."""
    aws = Rehearsal.find()
    if aws is None:
        console.print("no rehearsal is up; start one with `make demo-up`")
        return 1
    stacks = aws.client("cloudformation").describe_stacks()["Stacks"]
    console.print(f"a rehearsal is up at {aws.endpoint} (process {aws.pid})")
    for stack in stacks:
        console.print(f"  {stack['StackName']}: {stack['StackStatus']}", markup=False)
    console.print(guide(aws.variables(), stack_outputs(aws)), markup=False, soft_wrap=True)
    return 0


def guide(variables: dict[str, str], found: dict[str, str], aws_cli: bool | None = None) -> str:
    """Return the variables to export and things to try.

    Args:
        variables: that lead an AWS client to the rehearsal.
        found: outputs of the stacks.
        aws_cli: give commands of the AWS CLI rather than Python; what is installed when None.
    """
    bucket, table = found["ImagesBucketName"], found["ResultsTableName"]
    with_cli = shutil.which("aws") is not None if aws_cli is None else aws_cli
    commands = _cli_commands(bucket, table) if with_cli else _python_commands(bucket, table)
    training = _training(found, with_cli) if "ChurnPipelineName" in found else ""
    exports = "\n".join(f"export {name}={value}" for name, value in variables.items())
    return f"""
In a shell of your own, point every AWS client at it:

{exports}

Then try:

{commands}

The last one is refused once the picture is rejected. Only the pictures of
{SAMPLES}/ have scripted answers. A photo of your own is not judged: the function logs
UnscriptedImageException, its message is tried again with growing pauses and ends in the
dead-letter queue. To script it, put photo.jpg and
photo.jpg.rekognition.json into that folder (its README.md shows the content); the next attempt
finds the answer, without a restart.
{training}
`make demo-down` stops it.
"""


def _training(found: dict[str, str], with_cli: bool) -> str:
    """Return what makes up customers, uploads them and starts the pipeline."""
    bucket, prefix = found["DataBucketName"], found["ChurnDataPrefix"]
    pipeline, group = found["ChurnPipelineName"], found["ChurnModelGroupName"]
    if with_cli:
        commands = f"""\
aws s3 cp customers.csv s3://{bucket}/{prefix}
aws sagemaker start-pipeline-execution --pipeline-name {pipeline}
aws sagemaker list-model-packages --model-package-group-name {group}"""
    else:
        commands = _python(
            f"boto3.client('s3').upload_file('customers.csv', '{bucket}', '{prefix}customers.csv')",
            "print(boto3.client('sagemaker').start_pipeline_execution("
            f"PipelineName='{pipeline}')['PipelineExecutionArn'])",
            "print(boto3.client('sagemaker').list_model_packages("
            f"ModelPackageGroupName='{group}')['ModelPackageSummaryList'])",
        )
    return f"""
To train the churn model (in the project's folder; the version is there some ten seconds later):

.venv/bin/python -m ml_src.churn.generate --rows 7043 --output customers.csv
{commands}
"""


def _python(*lines: str) -> str:
    return "\n".join(f'.venv/bin/python -c "import boto3; {line}"' for line in lines)


def _cli_commands(bucket: str, table: str) -> str:
    return f"""\
aws s3 cp {SAMPLES}/pistol.jpg s3://{bucket}/incoming/pistol.jpg
aws dynamodb scan --table-name {table} --query 'Items[].[pk.S, sk.S, decision.S]' --output text
aws s3 cp s3://{bucket}/incoming/pistol.jpg -"""


def _python_commands(bucket: str, table: str) -> str:
    key = "incoming/pistol.jpg"
    return _python(
        f"boto3.client('s3').upload_file('{SAMPLES}/pistol.jpg', '{bucket}', '{key}')",
        f"[print(each['pk'], each['sk'], each.get('decision')) for each in"
        f" boto3.resource('dynamodb').Table('{table}').scan()['Items']]",
        f"boto3.client('s3').get_object(Bucket='{bucket}', Key='{key}')",
    )

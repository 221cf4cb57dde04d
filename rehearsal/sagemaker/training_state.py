"""A training job's status: its secondary status, the transitions, and the event of each.

("DescribeTrainingJob", SecondaryStatusTransitions, Amazon SageMaker API Reference.)
"""

from typing import Any

from rehearsal.sagemaker.announce import announce
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.tables import Fields, Table, now

TABLE = "training-job"
EVENT = "SageMaker Training Job State Change"
# What SageMaker says at each.
MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading the training image",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "Interrupted": "Training job interrupted: the managed spot instance was taken back",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job wait time exceeded MaxWaitTimeInSeconds provided",
}
LAST = {
    "Completed": "Completed",
    "Failed": "Failed",
    "Stopped": "Stopped",
    "MaxRuntimeExceeded": "Stopped",
    "MaxWaitTimeExceeded": "Stopped",
}


def first_transition() -> Fields:
    """The fields of a job that has just been made."""
    return {
        "TrainingJobStatus": "InProgress",
        "SecondaryStatus": "Starting",
        "SecondaryStatusTransitions": [
            {"Status": "Starting", "StartTime": now(), "StatusMessage": MESSAGES["Starting"]}
        ],
    }


class TrainingState:
    """Writes one job's status.

    Args:
        context: SageMaker's.
        name: of the job.
    """

    def __init__(self, context: Context, name: str) -> None:
        self._context = context
        self._table: Table = context.tables.table(TABLE)
        self._name = name

    def move(self, secondary: str, **fields: Any) -> None:
        """Go on to a secondary status, and to the status that follows from it; tell of it.

        A job that is being stopped stays so until its last status.
        """
        status = "Stopping" if secondary == "Stopping" else LAST.get(secondary, "InProgress")
        with self._table.lock:
            job = self._table.require(self._name)
            if job.fields["TrainingJobStatus"] == "Stopping" and status == "InProgress":
                self._table.update(self._name, **fields)
                return
            transitions: list[Fields] = list(job.fields["SecondaryStatusTransitions"])
            when = now()
            transitions[-1] = {**transitions[-1], "EndTime": when}
            transitions.append(_transition(secondary, when, secondary in LAST))
            self._table.update(
                self._name,
                TrainingJobStatus=status,
                SecondaryStatus=secondary,
                SecondaryStatusTransitions=transitions,
                **fields,
            )
        self.tell()

    def tell(self) -> None:
        """Put the event of the present state."""
        view = self._table.view(self._name)
        names = {"TrainingJobName": self._name, "TrainingJobArn": view.arn}
        announce(self._context, EVENT, view, names)


def _transition(secondary: str, when: float, last: bool) -> Fields:
    made: Fields = {
        "Status": secondary,
        "StartTime": when,
        "StatusMessage": MESSAGES[secondary],
    }
    return {**made, "EndTime": when} if last else made

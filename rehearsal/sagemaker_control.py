"""The client's side of SageMaker's part of the control API."""

from collections.abc import Sequence
from typing import Any

from rehearsal.control_client import ControlClient, ServiceControl


class SageMakerControl(ServiceControl):
    """What a test can do to the SageMaker of the embedded AWS."""

    def __init__(self, client: ControlClient) -> None:
        super().__init__(client, "sagemaker")

    def fail_job(self, kind: str, reason: str, times: int = 1, named: str = "") -> None:
        """Let jobs fail as they start.

        Args:
            kind: training, processing or transform.
            reason: their FailureReason, for example `CapacityError: Unable to provision …`.
            times: so many jobs.
            named: only jobs whose name holds this.
        """
        self._post("fail_job", kind=kind, reason=reason, times=times, named=named)

    def delay(self, kind: str, seconds: float) -> None:
        """Let jobs of a kind wait so many seconds (0 to 900) for their instance; 0: no more."""
        self._post("delay", kind=kind, seconds=seconds)

    def roll_back_next_update(self, endpoint: str) -> None:
        """Let the next update of an endpoint end with its old configuration, without a word."""
        self._post("roll_back_next_update", endpoint=endpoint)

    def interrupt(self, job: str) -> None:
        """Take the instance of a running spot training job back: SIGTERM, then a new attempt."""
        self._post("interrupt", job=job)

    def script_automl(self, prefix: str, answers: Sequence[dict[str, Any]]) -> None:
        """Say what AutoML jobs answer whose names begin so.

        Args:
            prefix: the beginning of their names.
            answers: parts of DescribeAutoMLJobV2's output, one for each call and the last for
                ever, each checked against botocore's output shape; AutoMLJobStatus and
                AutoMLJobSecondaryStatus in each.
        """
        self._post("script_automl", prefix=prefix, answers=list(answers))

    def forget_automl(self) -> None:
        """Take back what was scripted of AutoML jobs."""
        self._post("forget_automl")

    def fail_mlflow(self, action: str, status: int, times: int | None = None) -> None:
        """Let an operation of every MLflow app's REST API fail.

        Args:
            action: as IAM names it, for example CreateRun.
            status: 429, 500 or 503.
            times: so many calls; None until clear().
        """
        self._post("mlflow_fail", mlflow_action=action, status=status, times=times)

    def notebook_credentials(self, name: str) -> dict[str, str]:
        """What programs on a running notebook instance act with, as environment variables."""
        found: dict[str, str] = self._post("notebook_credentials", name=name)
        return found

"""What a step's runner has at hand, and what it gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.pipelines.calls import Calls
from rehearsal.sagemaker.pipelines.definition import Step
from rehearsal.sagemaker.pipelines.errors import StepError
from rehearsal.sagemaker.pipelines.expressions import resolve
from rehearsal.sagemaker.pipelines.scope import StepScope
from rehearsal.sagemaker.pipelines.state import Execution, StepRun


@dataclass
class Work:
    """One try of one step.

    Attributes:
        context: of the service.
        execution: that the step belongs to.
        run: the step's record; a runner sets its metadata as soon as it has them.
        calls: API calls as the pipeline's role.
        name: of the job or model to be made, if the step makes one.
        scope: where expressions get their values.
    """

    context: Context
    execution: Execution
    run: StepRun
    calls: Calls
    name: str
    scope: StepScope = field(init=False)

    def __post_init__(self) -> None:
        self.scope = StepScope(self.execution, self.calls, self.name)

    @property
    def step(self) -> Step:
        """The step as defined."""
        return self.run.step

    def resolved(self, node: Any) -> Any:
        """A part of the step with its expressions replaced by their values."""
        return resolve(node, self.scope)

    def show(self, kind: str, **metadata: Any) -> None:
        """Set the step's metadata."""
        with self.execution.lock:
            self.run.metadata = {kind: metadata}

    def tags(self) -> list[dict[str, str]]:
        """What Pipelines tags everything with that a step makes; the pipeline's own tags stay."""
        tags = {
            "sagemaker:pipeline-execution-arn": self.execution.arn,
            "sagemaker:pipeline-step-name": self.step.name,
        }
        return [{"Key": key, "Value": value} for key, value in tags.items()]

    def tagged(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments of a create call with these tags; the step's own win."""
        own: list[dict[str, str]] = list(arguments.get("Tags") or [])
        keys = {tag["Key"] for tag in own}
        more = [tag for tag in self.tags() if tag["Key"] not in keys]
        return {**arguments, "Tags": own + more}

    def check_tagging(self, operation: str, arn: str) -> None:
        """Refuse a create call whose role may not tag what it makes.

        Pipelines tags within the create call, which needs sagemaker:AddTags on what is made
        ("Provide permissions for tagging SageMaker AI resources", SageMaker Developer Guide).
        """
        self.calls.client("sagemaker")  # the role is assumed first
        role = self.execution.role_arn
        if self.context.role_may(
            role, "sagemaker:AddTags", arn, sagemaker__TaggingAction=operation
        ):
            return
        who = self.calls.caller_arn
        raise StepError(
            f"ClientError: Failed to invoke sagemaker:{operation}. Error Details: User: {who} is "
            f"not authorized to perform: sagemaker:AddTags on resource: {arn} because no "
            "identity-based policy allows the sagemaker:AddTags action"
        )

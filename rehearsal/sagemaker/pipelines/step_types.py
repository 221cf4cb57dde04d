"""The step types that run here, and what the service knows of each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StepType:
    """One type of step.

    Attributes:
        operation: the SageMaker API operation that its Arguments belong to; None: no operation.
        name_member: the argument that Pipelines fills in with a name of its own.
        cached: the arguments that decide whether an earlier run can be taken; empty: never cached
            ("Default cache key attributes by pipeline step type", SageMaker Developer Guide).
        retried: whether it may have RetryPolicies ("Retry policy for pipeline steps").
        fields: members of the step beside those that every step may have.
    """

    operation: str | None = None
    name_member: str | None = None
    cached: tuple[str, ...] = ()
    retried: bool = False
    fields: tuple[str, ...] = ()


STEP_TYPES = {
    "Processing": StepType(
        "CreateProcessingJob",
        "ProcessingJobName",
        ("AppSpecification", "Environment", "ProcessingInputs"),
        True,
        ("PropertyFiles",),
    ),
    "Training": StepType(
        "CreateTrainingJob",
        "TrainingJobName",
        (
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ),
        True,
    ),
    "Tuning": StepType(
        "CreateHyperParameterTuningJob",
        "HyperParameterTuningJobName",
        (
            "HyperParameterTuningJobConfig",
            "TrainingJobDefinition.AlgorithmSpecification",
            "TrainingJobDefinition.HyperParameterRanges",
            "TrainingJobDefinition.InputDataConfig",
            "TrainingJobDefinition.StaticHyperParameters",
            "TrainingJobDefinition.TuningObjective",
            "TrainingJobDefinitions",
        ),
        True,
    ),
    "Transform": StepType(
        "CreateTransformJob",
        "TransformJobName",
        ("DataProcessing", "Environment", "ModelName", "TransformInput"),
        True,
    ),
    "Model": StepType("CreateModel", "ModelName", retried=True),
    "RegisterModel": StepType("CreateModelPackage", retried=True),
    "Lambda": StepType(fields=("FunctionArn", "OutputParameters")),
    "Condition": StepType(),
    "Fail": StepType(),
}
COMMON_FIELDS = (
    "Arguments",
    "CacheConfig",
    "DependsOn",
    "Description",
    "DisplayName",
    "Name",
    "RetryPolicies",
    "Type",
)

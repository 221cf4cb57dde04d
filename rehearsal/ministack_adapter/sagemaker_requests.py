"""What a policy can speak of in a SageMaker request: its resource and its condition keys.

("Actions, resources, and condition keys for Amazon SageMaker", Service Authorization Reference.)
"""

import json
from typing import Any, cast

# The member of a request that names the resource, the most particular first, and the resource's
# type in its ARN. A member that holds an ARN is taken as it is.
NAMES: tuple[tuple[str, str], ...] = (
    ("PipelineExecutionArn", "pipeline"),
    ("ModelPackageArn", "model-package"),
    ("ResourceArn", ""),
    ("PipelineArn", "pipeline"),
    ("PipelineName", "pipeline"),
    ("TrainingJobName", "training-job"),
    ("ProcessingJobName", "processing-job"),
    ("TransformJobName", "transform-job"),
    ("HyperParameterTuningJobName", "hyper-parameter-tuning-job"),
    ("AutoMLJobName", "automl-job"),
    ("ModelPackageName", "model-package"),
    ("ModelPackageGroupName", "model-package-group"),
    ("ModelCardName", "model-card"),
    ("TrackingServerName", "mlflow-tracking-server"),
    ("EndpointName", "endpoint"),
    ("EndpointConfigName", "endpoint-config"),
    ("ModelName", "model"),
    ("NotebookInstanceName", "notebook-instance"),
    ("NotebookInstanceLifecycleConfigName", "notebook-instance-lifecycle-config"),
    ("CodeRepositoryName", "code-repository"),
    ("StudioLifecycleConfigName", "studio-lifecycle-config"),
)
MLFLOW_APPS = ("CreateMlflowApp", "UpdateMlflowApp", "DescribeMlflowApp", "DeleteMlflowApp")


def resource(operation: str, body: bytes, region: str, account: str) -> str:
    """The ARN of the resource that a request names; `*` if it names none (a List operation)."""
    given = _parsed(body)
    if not given or (operation.startswith("List") and operation != "ListTags"):
        return _listed(operation, given, region, account)
    place = f"arn:aws:sagemaker:{region}:{account}"
    if operation in MLFLOW_APPS:
        return str(given.get("Arn") or f"{place}:mlflow-app/*")
    if operation == "CreateModelPackage" and given.get("ModelPackageGroupName"):
        # The version's number is not known yet.
        group = str(given["ModelPackageGroupName"]).rpartition("/")[2]
        return f"{place}:model-package/{group}/*"
    for member, kind in NAMES:
        value = given.get(member)
        if isinstance(value, str) and value:
            return value if value.startswith("arn:") else f"{place}:{kind}/{value}"
    return "*"


def _listed(operation: str, given: dict[str, Any], region: str, account: str) -> str:
    """List operations below one resource are authorised on it."""
    execution = given.get("PipelineExecutionArn")
    if isinstance(execution, str):
        return execution
    name = given.get("PipelineName")
    if operation == "ListPipelineExecutions" and isinstance(name, str):
        if name.startswith("arn:"):
            return name
        return f"arn:aws:sagemaker:{region}:{account}:pipeline/{name}"
    return "*"


def condition_keys(body: bytes) -> dict[str, Any]:
    """The sagemaker: condition keys of a request that makes a job or a notebook instance.

    `sagemaker:InstanceTypes`, `…NetworkIsolation`, `…InterContainerTrafficEncryption`,
    `…VolumeKmsKey`, `…OutputKmsKey`, `…VpcSubnets`, `…VpcSecurityGroupIds`,
    `…MaxRuntimeInSeconds`; of a notebook instance `…RootAccess`, `…DirectInternetAccess`
    and `…MinimumInstanceMetadataServiceVersion`.
    """
    given = _parsed(body)
    if not given:
        return {}
    network = {**given, **_part(given, "NetworkConfig")}
    cluster = _part(given, "ResourceConfig") or _part(
        _part(given, "ProcessingResources"), "ClusterConfig"
    )
    output = _part(given, "OutputDataConfig") or _part(given, "ProcessingOutputConfig")
    vpc = _part(network, "VpcConfig")
    if "NotebookInstanceName" in given:
        return _texts(_notebook_keys(given))
    keys: dict[str, Any] = {
        "sagemaker:InstanceTypes": [cluster["InstanceType"]] if "InstanceType" in cluster else None,
        "sagemaker:VolumeKmsKey": cluster.get("VolumeKmsKeyId"),
        "sagemaker:OutputKmsKey": output.get("KmsKeyId"),
        "sagemaker:VpcSubnets": vpc.get("Subnets"),
        "sagemaker:VpcSecurityGroupIds": vpc.get("SecurityGroupIds"),
        "sagemaker:MaxRuntimeInSeconds": _part(given, "StoppingCondition").get(
            "MaxRuntimeInSeconds"
        ),
        "sagemaker:NetworkIsolation": network.get("EnableNetworkIsolation"),
        "sagemaker:InterContainerTrafficEncryption": network.get(
            "EnableInterContainerTrafficEncryption"
        ),
    }
    return _texts(keys)


def _notebook_keys(given: dict[str, Any]) -> dict[str, Any]:
    service = _part(given, "InstanceMetadataServiceConfiguration")
    version = "MinimumInstanceMetadataServiceVersion"
    return {
        "sagemaker:InstanceTypes": [given["InstanceType"]] if "InstanceType" in given else None,
        "sagemaker:VolumeKmsKey": given.get("KmsKeyId"),
        "sagemaker:VpcSubnets": [given["SubnetId"]] if "SubnetId" in given else None,
        "sagemaker:VpcSecurityGroupIds": given.get("SecurityGroupIds"),
        "sagemaker:RootAccess": given.get("RootAccess"),
        "sagemaker:DirectInternetAccess": given.get("DirectInternetAccess"),
        f"sagemaker:{version}": service.get(version),
    }


def _texts(keys: dict[str, Any]) -> dict[str, Any]:
    return {name: _text(value) for name, value in keys.items() if value is not None}


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        given = json.loads(body or b"{}")
    except ValueError:
        return {}
    return cast("dict[str, Any]", given) if isinstance(given, dict) else {}


def _part(given: dict[str, Any], name: str) -> dict[str, Any]:
    part = given.get(name)
    return cast("dict[str, Any]", part) if isinstance(part, dict) else {}


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return cast("list[str]", value) if isinstance(value, list) else str(value)

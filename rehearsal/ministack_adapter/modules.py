"""MiniStack's modules that the adapter reaches into, as Any: MiniStack has no types.

Importing this imports MiniStack, which reads its settings from the environment then.
"""

from importlib import import_module
from typing import Any

app: Any = import_module("ministack.app")
iam_actions: Any = import_module("ministack.core.iam_actions")
iam_evaluator: Any = import_module("ministack.core.iam_evaluator")
lambda_runtime: Any = import_module("ministack.core.lambda_runtime")
responses: Any = import_module("ministack.core.responses")
router: Any = import_module("ministack.core.router")
cloudwatch: Any = import_module("ministack.services.cloudwatch")
dynamodb: Any = import_module("ministack.services.dynamodb")
eventbridge: Any = import_module("ministack.services.eventbridge")
iam: Any = import_module("ministack.services.iam")
kms: Any = import_module("ministack.services.kms")
lambda_svc: Any = import_module("ministack.services.lambda_svc")
logs: Any = import_module("ministack.services.cloudwatch_logs")
provisioners: Any = import_module("ministack.services.cloudformation.provisioners")
s3: Any = import_module("ministack.services.s3")
scheduler: Any = import_module("ministack.services.scheduler")
sns: Any = import_module("ministack.services.sns")
sqs: Any = import_module("ministack.services.sqs")
stacks: Any = import_module("ministack.services.cloudformation.stacks")
sts: Any = import_module("ministack.services.sts")
tagging: Any = import_module("ministack.services.tagging")
stepfunctions: Any = import_module("ministack.services.stepfunctions")

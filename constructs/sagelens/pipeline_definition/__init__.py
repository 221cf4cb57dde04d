"""The definition of an Amazon SageMaker Pipeline, as plain data that needs no AWS CDK.

    from sagelens.pipeline_definition import Definition, Parameter, Step, parameter

    definition = Definition(
        parameters=[Parameter("DataUrl", "s3://bucket/data/")],
        steps=[Step(name="Prepare", type="Processing", arguments={…})],
    )
    document = definition.document()

Texts may hold CDK tokens; ``Stack.to_json_string`` writes the document with them. A definition
that AWS would refuse (a reference to nothing, a cycle, a wrong name) is refused here.
"""

from .definition import Definition
from .limits import LARGEST_DEFINITION_BYTES, size_problem
from .parameters import Parameter
from .problems import DefinitionError
from .steps import Condition, PropertyFile, RetryPolicy, Step
from .values import Value, execution, join, json_get, parameter, step, url

__all__ = [
    "LARGEST_DEFINITION_BYTES",
    "Condition",
    "Definition",
    "DefinitionError",
    "Parameter",
    "PropertyFile",
    "RetryPolicy",
    "Step",
    "Value",
    "execution",
    "join",
    "json_get",
    "parameter",
    "size_problem",
    "step",
    "url",
]

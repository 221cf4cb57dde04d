"""The tables of endpoints and of their configurations."""

from rehearsal.aws_json import ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.tables import Table

CONFIG, ENDPOINT = "endpoint-config", "endpoint"


def configs(context: Context) -> Table:
    """The endpoint configurations."""

    def missing(name: str) -> ServiceError:
        text = f'Could not find endpoint configuration "{context.arn(CONFIG, name)}".'
        return ServiceError("ValidationException", text)

    def taken(arn: str) -> ServiceError:
        text = f'Cannot create already existing endpoint configuration "{arn}".'
        return ServiceError("ValidationException", text)

    return context.tables.table(CONFIG, missing, taken)


def endpoints(context: Context) -> Table:
    """The endpoints."""

    def missing(name: str) -> ServiceError:
        text = f'Could not find endpoint "{context.arn(ENDPOINT, name)}".'
        return ServiceError("ValidationException", text)

    def taken(arn: str) -> ServiceError:
        text = f'Cannot create already existing endpoint "{arn}".'
        return ServiceError("ValidationException", text)

    return context.tables.table(ENDPOINT, missing, taken)

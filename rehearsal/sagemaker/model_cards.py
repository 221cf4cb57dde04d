"""Model cards: documents about models, each change a version ("Amazon SageMaker Model Cards")."""

import json
from typing import Any

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context, name_of
from rehearsal.sagemaker.listing import page
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import Fields, Resource, Table, now

CARD = "model-card"


def operations(context: Context) -> Registry:
    """The operations of model cards."""
    api = CardOperations(context)
    return {
        "CreateModelCard": api.create,
        "DescribeModelCard": api.describe,
        "UpdateModelCard": api.update,
        "ListModelCards": api.list,
        "ListModelCardVersions": api.versions,
        "DeleteModelCard": api.delete,
    }


class CardOperations:
    """Model cards.

    Args:
        context: of the service.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._table: Table = context.tables.table(CARD, self._missing, _taken)

    def create(self, call: Call) -> Fields:
        """CreateModelCard."""
        given = call.parameters
        _check(given["Content"])
        name = given["ModelCardName"]
        arn = self._context.arn(CARD, name)
        fields: Fields = {
            "Content": given["Content"],
            "ModelCardStatus": given["ModelCardStatus"],
            "ModelCardVersion": 1,
        }
        if "SecurityConfig" in given:
            fields["SecurityConfig"] = given["SecurityConfig"]
        with self._table.lock:
            card = self._table.add(name, arn, fields, tags=given.get("Tags"))
            card.internal["versions"] = [{**fields, "CreationTime": card.created}]
        return {"ModelCardArn": arn}

    def describe(self, call: Call) -> Fields:
        """DescribeModelCard, the newest version or the one named."""
        card = self._require(call)
        versions: list[Fields] = card.internal["versions"]
        number = call.parameters.get("ModelCardVersion", len(versions))
        if not 1 <= number <= len(versions):
            raise ServiceError(
                "ResourceNotFound",
                f"Could not find version {number} of {card.arn}; it has 1 to {len(versions)}.",
            )
        times = {"CreationTime": card.created, "LastModifiedTime": card.modified}
        return {**_named(card), **card.fields, **versions[number - 1], **times, "CreatedBy": {}}

    def update(self, call: Call) -> Fields:
        """UpdateModelCard: its content or its status, never both in one call."""
        given = call.parameters
        if ("Content" in given) == ("ModelCardStatus" in given):
            raise ServiceError(
                "ValidationException",
                "Exactly one of Content and ModelCardStatus must be given in one call.",
            )
        if "Content" in given:
            _check(given["Content"])
        with self._table.lock:
            card = self._require(call)
            changes = {n: given[n] for n in ("Content", "ModelCardStatus") if n in given}
            version = int(card.fields["ModelCardVersion"]) + 1
            self._table.update(card.name, **changes, ModelCardVersion=version)
            card.internal["versions"].append({**card.fields, "CreationTime": now()})
        return {"ModelCardArn": card.arn}

    def list(self, call: Call) -> Fields:
        """ListModelCards."""
        given = call.parameters
        found = [
            each
            for each in self._table.all()
            if given.get("ModelCardStatus") in (None, each.fields["ModelCardStatus"])
        ]
        return page(found, given, "ModelCardSummaries", _summary, status="ModelCardStatus")

    def versions(self, call: Call) -> Fields:
        """ListModelCardVersions."""
        card = self._require(call)
        rows = [
            Resource(CARD, card.name, card.arn, version, created=version["CreationTime"])
            for version in card.internal["versions"]
            if call.parameters.get("ModelCardStatus") in (None, version["ModelCardStatus"])
        ]

        def line(row: Resource) -> Fields:
            return {**_summary(row), "ModelCardVersion": row.fields["ModelCardVersion"]}

        return page(rows, call.parameters, "ModelCardVersionSummaryList", line)

    def delete(self, call: Call) -> Fields:
        """DeleteModelCard, with all its versions."""
        self._table.remove(self._require(call).name)
        return {}

    def _require(self, call: Call) -> Resource:
        return self._table.require(name_of(call.parameters["ModelCardName"]))

    def _missing(self, name: str) -> ServiceError:
        return ServiceError("ResourceNotFound", f"Could not find {self._context.arn(CARD, name)}.")


def _check(content: str) -> None:
    try:
        document: Any = json.loads(content)
    except ValueError as error:
        raise ServiceError("ValidationException", f"Content is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ServiceError("ValidationException", "Content is not a JSON object.")


def _named(card: Resource) -> Fields:
    return {"ModelCardName": card.name, "ModelCardArn": card.arn}


def _summary(card: Resource) -> Fields:
    return {
        **_named(card),
        "ModelCardStatus": card.fields["ModelCardStatus"],
        "CreationTime": card.created,
        "LastModifiedTime": card.modified,
    }


def _taken(arn: str) -> ServiceError:
    return ServiceError("ConflictException", f"Modelcard with {arn} already exists.")

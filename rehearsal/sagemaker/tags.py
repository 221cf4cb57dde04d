"""AddTags, ListTags and DeleteTags, for whatever has an ARN in the tables."""

from rehearsal.aws_json import Call, ServiceError
from rehearsal.sagemaker.context import Context
from rehearsal.sagemaker.service import Registry
from rehearsal.sagemaker.tables import TAGS_MOST, Fields, Resource, read_tags, write_tags


def operations(context: Context) -> Registry:
    """The three operations."""

    def resource(call: Call) -> Resource:
        arn = call.parameters["ResourceArn"]
        found = context.tables.by_arn(arn)
        if found is None:
            raise ServiceError("ValidationException", f"Could not find resource with ARN {arn}.")
        return found

    def add(call: Call) -> Fields:
        found = resource(call)
        with context.tables.lock:
            merged = {**found.tags, **read_tags(call.parameters["Tags"])}
            if len(merged) > TAGS_MOST:
                raise ServiceError(
                    "ResourceLimitExceeded", f"A resource can have at most {TAGS_MOST} tags."
                )
            found.tags = merged
            return {"Tags": write_tags(merged)}

    def listed(call: Call) -> Fields:
        return {"Tags": write_tags(resource(call).tags)}

    def delete(call: Call) -> Fields:
        found = resource(call)
        with context.tables.lock:
            for key in call.parameters["TagKeys"]:
                found.tags.pop(key, None)
        return {}

    return {"AddTags": add, "ListTags": listed, "DeleteTags": delete}

"""AWS::Rekognition::Project, through the ordinary API; its Ref is the project's name."""

from collections.abc import Callable
from typing import Any

Result = tuple[str, dict[str, Any]]
TYPE = "AWS::Rekognition::Project"


class Projects:
    """The type.

    Args:
        client: gives a client of Amazon Rekognition.
    """

    def __init__(self, client: Callable[[], Any]) -> None:
        self._client = client

    def create(self, logical_id: str, props: dict[str, Any], stack: str) -> Result:
        """Make the project."""
        tags = {each["Key"]: each["Value"] for each in props.get("Tags", ())}
        made = self._client().create_project(ProjectName=props["ProjectName"], Tags=tags)
        return props["ProjectName"], {"Arn": made["ProjectArn"]}

    def update(
        self, physical_id: str, old: dict[str, Any], new: dict[str, Any], stack: str
    ) -> Result:
        """Take its new tags; another name makes another project."""
        arn = self._arn(physical_id)
        tags = {each["Key"]: each["Value"] for each in new.get("Tags", ())}
        gone = {each["Key"] for each in old.get("Tags", ())} - tags.keys()
        client = self._client()
        if gone:
            client.untag_resource(ResourceArn=arn, TagKeys=sorted(gone))
        if tags:
            client.tag_resource(ResourceArn=arn, Tags=tags)
        return physical_id, {"Arn": arn}

    def delete(self, physical_id: str, props: dict[str, Any]) -> None:
        """Delete it, which fails while it holds versions."""
        arn = self._arn(physical_id)
        if arn:
            self._client().delete_project(ProjectArn=arn)

    def _arn(self, name: str) -> str:
        found = self._client().describe_projects(ProjectNames=[name])["ProjectDescriptions"]
        return found[0]["ProjectArn"] if found else ""

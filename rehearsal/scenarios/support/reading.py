"""Who can read which version: the quarantine put to the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehearsal.report.model import Check
from rehearsal.scenarios.support.principals import temporary_role
from rehearsal.scenarios.support.uploads import ImagesBucket, Upload

REFUSALS = ("AccessDenied", "AccessDeniedException", "403")


def check_quarantine(
    bucket: ImagesBucket, uploads: Sequence[Upload], own_tags: Mapping[str, str]
) -> list[Check]:
    """Read accepted and rejected versions as an ordinary role and as the reviewer.

    Args:
        bucket: where the uploads are; each must still be the newest version of its key.
        uploads: decided uploads.
        own_tags: the tags that they were uploaded with.
    """
    rejected = [each for each in uploads if each.decision == "reject"]
    accepted = [each for each in uploads if each.decision == "accept"]
    with temporary_role(bucket.context, _reading(bucket)) as role:
        reader = bucket.context.client_as(role, "s3")
        seen = [each.key for each in rejected if not _refuses(reader, bucket.name, each)]
        hidden = [each.key for each in accepted if not _reads(reader, bucket.name, each)]
    reviewer = bucket.context.client_as(bucket.context.outputs["ReviewerRoleArn"], "s3")
    closed = [each.key for each in rejected if not _reads(reviewer, bucket.name, each)]
    owned = [each.key for each in rejected if not _refuses(bucket.s3, bucket.name, each)]
    bare = [each.key for each in rejected if not own_tags.items() <= bucket.tags(each).items()]
    some, others = f"{len(rejected)} of {len(rejected)}", f"{len(accepted)} of {len(accepted)}"
    kept = ", ".join(f"{name}={value}" for name, value in own_tags.items())
    return [
        none_of(
            seen,
            "A role that may read the bucket is refused every rejected image",
            f"AccessDenied for {some}, by key and by version id",
            "could be read",
        ),
        none_of(
            owned,
            "The account's own root user is refused them too",
            f"AccessDenied for {some}",
            "could be read",
        ),
        none_of(
            hidden,
            "The ordinary role reads every accepted image",
            f"{others}, byte for byte",
            "could not be read",
        ),
        none_of(
            closed,
            "The reviewer's role reads the rejected images",
            f"{some}, byte for byte",
            "could not be read",
        ),
        none_of(
            bare,
            "A rejected image keeps the tags it came with",
            f"{kept} is still on {some}",
            f"lost {kept}",
        ),
    ]


def none_of(keys: Sequence[str], promise: str, found: str, otherwise: str) -> Check:
    """Return a check that passes when no key is named."""
    return Check(promise, not keys, found if not keys else f"{', '.join(keys)} {otherwise}")


def _reading(bucket: ImagesBucket) -> list[dict[str, Any]]:
    """What an ordinary reader of the bucket is allowed."""
    key = bucket.context.outputs["KeyArn"]
    partition = key.split(":")[1]
    objects = f"arn:{partition}:s3:::{bucket.name}/*"
    reading = ["s3:GetObject", "s3:GetObjectVersion"]
    return [
        {"Effect": "Allow", "Action": reading, "Resource": objects},
        {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": key},
    ]


def _attempts(s3: Any, bucket: str, upload: Upload) -> list[bytes | None]:
    """Read by key and by version id; None where that was refused."""
    found: list[bytes | None] = []
    for extra in ({}, {"VersionId": upload.version}):
        try:
            answer = s3.get_object(Bucket=bucket, Key=upload.key, **extra)
        except s3.exceptions.ClientError as error:
            if error.response["Error"]["Code"] not in REFUSALS:
                raise
            found.append(None)
        else:
            found.append(answer["Body"].read())
    return found


def _reads(s3: Any, bucket: str, upload: Upload) -> bool:
    return all(content == upload.sample.content for content in _attempts(s3, bucket, upload))


def _refuses(s3: Any, bucket: str, upload: Upload) -> bool:
    return all(content is None for content in _attempts(s3, bucket, upload))

"""Every kind of wrong field outside of vision, its place, and the words that answer it."""

from collections.abc import Callable

import pytest

RefusedOnce = Callable[..., None]


BOUNDARY = "arn:aws:iam::123456789012:policy/boundary"


def named(text: str) -> str:
    """Return YAML with a right name in line 1, so that `text` begins in line 2."""
    return f"name: x\n{text}"


# A row is one kind of error: YAML, the line and path of its only error, then words in it.
CASES = {
    "unknown key": (named("regoin: null"), "2", "regoin:", "unknown key", "did you mean region?"),
    "unknown key below": (
        named("vision:\n  queue:\n    max_recieves: 9"),
        "4",
        "vision.queue.max_recieves:",
        "did you mean max_receives?",
    ),
    "key of another section": (
        named("max_receives: 9"),
        "2",
        "max_receives:",
        "did you mean vision.queue.max_receives?",
    ),
    "missing name": ("region: null", "1", "name:", "is required", "1 to 12 lower-case letters"),
    "name with capitals": ("name: Dev", "1", "name:", '"Dev"', "1 to 12 lower-case letters"),
    "name too long": (f"name: {'a' * 13}", "1", "name:", "1 to 12"),
    "name with line break": ('name: "dev\\n"', "1", "name:", "required form"),
    "name of half a character": ('name: "\\ud83d"', "1", "name:", "surrogate", "\\ud83d"),
    "name is a number": ("name: 7", "1", "name:", "is a whole number, not text", 'quotes: "7"'),
    "region": (named("region: europe"), "2", "region:", '"europe"', "eu-west-1"),
    "region is a zone": (named("region: eu-west-1a"), "2", "region:", "its Region is eu-west-1"),
    "account is a number": (
        named("account: 123456789012"),
        "2",
        "account:",
        "given:   123456789012",
        'put it in quotes: "123456789012"',
    ),
    "account with leading zero": (
        named("account: 012345670123"),
        "2",
        "account:",
        "012345670123",
        'put it in quotes: "012345670123"',
    ),
    "account too short": (named('account: "1234"'), "2", "account:", "12 digits"),
    "account of other digits": (named('account: "١٢٣٤٥٦٧٨٩٠١٢"'), "2", "account:", "12 digits"),
    "boolean as text": (named('protect_data: "true"'), "2", "protect_data:", "remove the quotes"),
    "boolean yes": (named("protect_data: yes"), "2", "protect_data:", "write true or false"),
    "boolean as number": (named("protect_data: 1"), "2", "protect_data:", "true or false"),
    "log retention": (named("log_retention_days: 31"), "2", "log_retention_days:", "30, 60, 90"),
    "log retention as text": (
        named('log_retention_days: "30"'),
        "2",
        "log_retention_days:",
        "remove the quotes: 30",
    ),
    "e-mail": (named("alarm_emails: [a@b.c, me]"), "2", "alarm_emails[1]:", "one e-mail address"),
    "e-mail not in a list": (
        named("alarm_emails: a@b.c"),
        "2",
        "alarm_emails:",
        'write a list: ["a@b.c"]',
    ),
    "e-mail twice": (
        named("alarm_emails:\n  - a@b.c\n  - A@B.c"),
        "4",
        "alarm_emails[1]:",
        "already in the list",
    ),
    "tag key too long": (named(f"tags: {{{'k' * 129}: v}}"), "2", "tags.kkk", "1 to 128"),
    "tag value too long": (named(f"tags: {{k: {'v' * 257}}}"), "2", "tags.k:", "at most 256"),
    "tag key empty": (named('tags: {"": v}'), "2", 'tags."":', "1 to 128"),
    "tag key reserved": (named("tags: {AWS:k: v}"), "2", 'tags."AWS:k":', "AWS reserves"),
    "tag key of the platform": (named("tags: {sagelens:k: v}"), "2", "sagelens:", "platform"),
    "tag character": (named('tags: {k: "a&b"}'), "2", "tags.k:", "holds '&'"),
    "tag value is a number": (named("tags: {cost: 42}"), "2", "tags.cost:", 'quotes: "42"'),
    "tag keys differ in case": (
        named("tags:\n  Owner: a\n  owner: b"),
        "4",
        "tags.owner:",
        "only in case",
    ),
    "too many tags": (
        named(f"tags: {{{', '.join(f'k{n}: v' for n in range(41))}}}"),
        "2",
        "tags:",
        "at most 40 entries",
    ),
    "boundary is a role": (
        named("security: {permissions_boundary: 'arn:aws:iam::123456789012:role/r'}"),
        "2",
        "security.permissions_boundary:",
        "ARN of a role",
    ),
    "boundary is a name": (
        named("security: {permissions_boundary: boundary}"),
        "2",
        "security.permissions_boundary:",
        "ARN of a managed policy",
    ),
    "boundary of another account": (
        named(f'account: "210987654321"\nsecurity: {{permissions_boundary: "{BOUNDARY}"}}'),
        "3",
        "security.permissions_boundary:",
        "a policy of account 123456789012",
    ),
    "boundary of another partition": (
        named(
            f'region: cn-north-1\nvision: null\nsecurity: {{permissions_boundary: "{BOUNDARY}"}}'
        ),
        "4",
        "security.permissions_boundary:",
        "is in aws-cn",
    ),
    "role path": (
        named("security: {role_path: sagelens}"),
        "2",
        "security.role_path:",
        'begin and end with "/"',
    ),
    "role path character": (named("security: {role_path: /a b/}"), "2", "security.role_path:"),
    "role path reserved": (
        named("security: {role_path: /aws-service-role/x/}"),
        "2",
        "security.role_path:",
        "IAM reserves",
    ),
    "role path too long": (
        named(f"security: {{role_path: /{'p' * 511}/}}"),
        "2",
        "security.role_path:",
        "at most 512 characters",
    ),
    "reviewer is a group": (
        named("security: {reviewers: ['arn:aws:iam::123456789012:group/g']}"),
        "2",
        "security.reviewers[0]:",
        "is a group",
    ),
    "reviewer is everyone": (
        named('security: {reviewers: ["*"]}'),
        "2",
        "security.reviewers[0]:",
        "everyone",
    ),
    "reviewer twice": (
        named(
            "security:\n  reviewers:\n    - arn:aws:iam::123456789012:role/r\n"
            "    - arn:aws:iam::123456789012:role/r"
        ),
        "5",
        "security.reviewers[1]:",
        "already in the list",
    ),
    "section is null": (named("security:"), "2", "security:", "write {} for the defaults"),
    "section is text": (named("security: none"), "2", "security:", "is text, not a mapping"),
    "network not private": (named("network: {cidr: 8.8.0.0/16}"), "2", "network.cidr:", "RFC 1918"),
    "network too large": (named("network: {cidr: 10.0.0.0/15}"), "2", "network.cidr:", "/16 to"),
    "network too small": (named("network: {cidr: 10.0.0.0/25}"), "2", "network.cidr:", "/16 to"),
    "network host bits": (
        named("network: {cidr: 10.20.0.1/16}"),
        "2",
        "network.cidr:",
        "the network is 10.20.0.0/16",
    ),
    "network not an address": (
        named("network: {cidr: 10.300.0.0/16}"),
        "2",
        "network.cidr:",
        "is not an IPv4 network",
    ),
    "network without length": (named("network: {cidr: 10.0.0.0}"), "2", "network.cidr:", "/24"),
    "zones": (
        named("network: {availability_zones: 4}"),
        "2",
        "network.availability_zones:",
        "too large",
        "from 2 to 3",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_field_is_one_error_at_its_line(case: str, refused_once: RefusedOnce) -> None:
    refused_once(*CASES[case])

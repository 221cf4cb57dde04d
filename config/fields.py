"""The types of single fields that AWS constrains: names, ARNs, address ranges, tags."""

import re
import unicodedata
from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.base import Broken, Shape, Unique, all_of

PARTITION = r"aws(?:-[a-z]+)*"
PRIVATE_RANGES = tuple(
    IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
)
MOST_TAGS = 40
LogRetentionDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
]  # fmt: skip

EnvironmentName = Annotated[
    str,
    Shape(
        r"[a-z][a-z0-9-]{0,11}",
        "1 to 12 lower-case letters, digits and hyphens, the first a letter",
    ),
]


def _about_region(value: str) -> str | None:
    zone = re.fullmatch(rf"({_REGION})[a-z]", value)
    return f"is an Availability Zone; its Region is {zone[1]}" if zone else None


_REGION = r"[a-z]{2,5}(?:-[a-z]+){1,3}-[0-9]{1,2}"
Region = Annotated[
    str, Shape(_REGION, 'the code of an AWS Region, such as "eu-west-1"', _about_region)
]
Account = Annotated[
    str, Shape(r"[0-9]{12}", 'an account id, 12 digits in quotes, such as "123456789012"')
]
_EMAIL = r"[^\s@,;<>()\"]{1,64}@[^\s@,;<>()\"]+\.[^\s@.,;<>()\"]+"
Email = Annotated[str, Field(max_length=254), Shape(_EMAIL, "one e-mail address")]
Emails = Annotated[tuple[Email, ...], Field(strict=False), Unique("address", str.casefold)]


def _about_boundary(value: str) -> str | None:
    other = re.fullmatch(rf"arn:{PARTITION}:iam::[^:]*:(?!policy/)([a-z-]+)/.*", value)
    return f"is the ARN of a {other[1]}, not of a managed policy" if other else None


PolicyArn = Annotated[
    str,
    Field(max_length=2048),
    Shape(
        rf"arn:{PARTITION}:iam::(?:aws|[0-9]{{12}}):policy/[A-Za-z0-9_+=,.@/-]*[A-Za-z0-9_+=,.@-]",
        'the ARN of a managed policy, such as "arn:aws:iam::123456789012:policy/boundary"',
        _about_boundary,
    ),
]


def _about_principal(value: str) -> str | None:
    if value == "*":
        return "would let everyone in"
    if re.fullmatch(rf"arn:{PARTITION}:iam::[0-9]*:group/.*", value):
        return "is a group, which IAM does not accept as a principal"
    return None


PrincipalArn = Annotated[
    str,
    Field(max_length=2048),
    Shape(
        rf"arn:{PARTITION}:(?:iam::[0-9]{{12}}:(?:root|(?:user|role)/[A-Za-z0-9_+=,.@/-]+)"
        rf"|sts::[0-9]{{12}}:assumed-role/[A-Za-z0-9_+=,.@-]+/[A-Za-z0-9_+=,.@-]+)",
        "the ARN of a role, a user, an assumed-role session or an account's root, such as "
        '"arn:aws:iam::123456789012:role/reviewer"',
        _about_principal,
    ),
]
Principals = Annotated[tuple[PrincipalArn, ...], Field(strict=False), Unique("principal")]


def _about_role_path(value: str) -> str | None:
    if re.match(r"/(?:aws-service-role|aws-reserved)/", value):
        return "is a path that IAM reserves for AWS"
    if not (value.startswith("/") and value.endswith("/")):
        return 'does not begin and end with "/"'
    return None


RolePath = Annotated[
    str,
    Field(max_length=512),
    Shape(
        r"/(?:[A-Za-z0-9_+=,.@-]+/)*",
        '"/", or names each followed by "/", of letters, digits and _ + = , . @ -, such as '
        '"/sagelens/"; at most 512 characters',
        _about_role_path,
    ),
]


def _about_cidr(value: str) -> str | None:
    if not re.fullmatch(r"[0-9.]+/[0-9]{1,2}", value):
        return None
    try:
        network = IPv4Network(value, strict=False)
    except ValueError:
        return "is not an IPv4 network"
    if str(network) != value:
        return f"has host bits set; the network is {network}"
    if not 16 <= network.prefixlen <= 24:
        return f"holds {network.num_addresses} addresses, which is outside /16 to /24"
    if not any(network.subnet_of(block) for block in PRIVATE_RANGES):
        return "is not a private network (RFC 1918)"
    return None


Cidr = Annotated[
    str,
    Shape(
        r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}/(?:1[6-9]|2[0-4])",
        "a network inside 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16, from /16 to /24, "
        'host bits zero, such as "10.20.0.0/16"',
        _about_cidr,
    ),
]


def _about_tag(value: str) -> str | None:
    if value.lower().startswith("aws:"):
        return 'begins with "aws:", which AWS reserves'
    wrong = [sign for sign in value if unicodedata.category(sign)[0] not in "LZN"]
    wrong = [sign for sign in wrong if sign not in "_.:/=+-@"]
    return f"holds {', '.join(map(ascii, dict.fromkeys(wrong)))}" if wrong else None


def _about_tag_key(value: str) -> str | None:
    if value.lower().startswith("sagelens:"):
        return 'begins with "sagelens:", which the platform keeps for its own tags'
    return _about_tag(value)


# "Tag naming limits and requirements", Tagging AWS resources.
_TAG = "letters, digits, spaces and _ . : / = + - @, not beginning with aws:"
TagKey = Annotated[
    str,
    Shape(
        r"(?!aws:|AWS:|sagelens:)[^\x00-\x1f]{1,128}",
        f"1 to 128 {_TAG} or sagelens:",
        _about_tag_key,
    ),
]
TagValue = Annotated[
    str, Shape(r"(?!aws:|AWS:)[^\x00-\x1f]{0,256}", f"at most 256 {_TAG}", _about_tag)
]


def _differ_in_more_than_case(tags: Mapping[str, str]) -> Mapping[str, str]:
    """Refuse keys that IAM would take for the same ("Tags for IAM resources")."""
    first: dict[str, str] = {}
    same: list[Broken] = []
    for key, value in tags.items():
        earlier = first.setdefault(key.casefold(), key)
        if earlier != key:
            problem = f'differs from the key "{earlier}" only in case; IAM takes them for one'
            reads = ((key,), (earlier,))
            same.append(Broken((key,), value, problem, "each key once", reads))
    if same:
        raise all_of("Tags", same)
    return tags


Tags = Annotated[
    Mapping[TagKey, TagValue],
    Field(
        max_length=MOST_TAGS,
        json_schema_extra={
            "x-allowed": f"a mapping of at most {MOST_TAGS} keys to values, each text: keys of 1 "
            f"to 128 and values of at most 256 {_TAG}; keys neither with sagelens:"
        },
    ),
    AfterValidator(_differ_in_more_than_case),
]

"""The one exception of the rehearsal, and the rule that everything stays on this machine."""

import ipaddress
from urllib.parse import urlsplit


class RehearsalError(Exception):
    """Something cannot be done; the text says what, where and how to mend it."""


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only ever be this machine.

    Only literal loopback addresses and `localhost` (with its sub-domains, RFC 6761) count: a name
    that merely resolves to 127.0.0.1 today is somebody else's to change.
    """
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def require_loopback(endpoint: str) -> str:
    """Return the endpoint URL unchanged, or raise RehearsalError if it could leave this machine.

    Args:
        endpoint: a URL such as http://localhost:4566.
    """
    parts = urlsplit(endpoint)
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not is_loopback(parts.hostname)
    ):
        raise RehearsalError(
            f"the rehearsal only ever speaks to this machine: the endpoint given is {endpoint!r}, "
            "allowed are http://localhost:<port> and http://127.0.0.1:<port>"
        )
    return endpoint

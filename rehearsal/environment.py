"""Environment variables: what a child of the rehearsal may see, and what points a client at it."""

import os
from collections.abc import Mapping
from pathlib import Path

ACCOUNT = "000000000000"
ACCESS_KEY = "test"  # MiniStack's name for the account's root user
SECRET_KEY = "test"

# What the server may take over from the caller. Everything else is left behind: an allow-list, so
# that no credential, profile, proxy or endpoint of the caller's can reach it or a Lambda handler.
INHERITED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def client_variables(endpoint: str, region: str) -> dict[str, str]:
    """The variables that make any AWS client on this machine talk to the rehearsal, and only to it.

    The configuration and credentials files are named as the null device, so that no profile of the
    user's joins in.
    """
    return {"AWS_ENDPOINT_URL": endpoint, **_account_variables(region)}


def child_environment(
    endpoint: str, region: str, base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """A complete environment for a child: the caller's without any AWS variable, plus ours."""
    source = os.environ if base is None else base
    kept = {name: value for name, value in source.items() if not name.startswith("AWS_")}
    # A proxy must never stand between a client and the loopback address.
    kept.update({"NO_PROXY": "localhost,127.0.0.1", "no_proxy": "localhost,127.0.0.1"})
    return {**kept, **client_variables(endpoint, region)}


def server_environment(run_folder: Path, region: str, project: Path) -> dict[str, str]:
    """The whole environment of the server process: an allow-list, and a home of its own."""
    home = run_folder / "home"
    temporary = run_folder / "tmp"
    nowhere = run_folder / "none"
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return {
        **inherited,
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "PYTHONPATH": str(project),
        "PYTHONUNBUFFERED": "1",
        **_account_variables(region),
        # MiniStack's own settings, read once when it is imported.
        "AUTH": "true",
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "STATE_DIR": str(run_folder / "state"),
        "S3_DATA_DIR": str(run_folder / "s3"),
        "LAMBDA_EXECUTOR": "local",
        # It would otherwise remove containers that carry its label.
        "DOCKER_HOST": f"unix://{nowhere}",
        "LOG_LEVEL": "WARNING",
    }


def _account_variables(region: str) -> dict[str, str]:
    """The embedded account's credentials and Region, and nothing of the user's own."""
    return {
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }

# pyright: reportMissingTypeStubs=false
"""boto3 clients for the engine: quick to make, quick to fail, with a role's credentials."""

import threading
from typing import Any

from botocore.config import Config

from rehearsal.local_session import LocalSession

CONFIG = Config(
    connect_timeout=5,
    read_timeout=120,
    retries={"total_max_attempts": 3, "mode": "standard"},
    max_pool_connections=16,
    # The loopback connection needs no second checksum beside the signature's.
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
)
_making = threading.Lock()


def make_client(
    service: str,
    endpoint: str,
    region: str,
    credentials: tuple[str, str, str | None] | None,
    config: Config = CONFIG,
) -> Any:
    """A client of the embedded AWS; of its root user if there are no credentials."""
    with _making:  # botocore's sessions are not made to be shared while they make clients
        session = LocalSession(endpoint, region, credentials)
        return session.client(service, config=config)

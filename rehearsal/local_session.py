# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
"""A boto3 session that can only ever reach the rehearsal."""

import os
from functools import lru_cache
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from botocore.config import Config

from rehearsal.environment import ACCESS_KEY, SECRET_KEY
from rehearsal.errors import require_loopback

# boto3 reads these from the environment; here they are fixed, so that no profile of the user's,
# and no configuration file, joins in.
FIXED = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}


@lru_cache(maxsize=1)
def _loader() -> Any:
    """One loader for all sessions, so that each service's model is read once."""
    return botocore.loaders.Loader()


class LocalSession(boto3.Session):
    """Like boto3.Session, bound to one loopback endpoint and to credentials of the embedded AWS.

    Args:
        endpoint: of the server.
        region: the Region of its clients.
        credentials: access key, secret key and session token of a role; the root user's if None.
    """

    def __init__(
        self, endpoint: str, region: str, credentials: tuple[str, str, str | None] | None = None
    ) -> None:
        self.endpoint = require_loopback(endpoint)
        core: Any = botocore.session.Session(
            session_vars={
                name: (None, None, value, None) for name, value in FIXED.items()
            }  # no variable of the environment is looked at
        )
        core.register_component("data_loader", _loader())
        access, secret, token = credentials or (ACCESS_KEY, SECRET_KEY, None)
        super().__init__(
            aws_access_key_id=access,
            aws_secret_access_key=secret,
            aws_session_token=token,
            region_name=region,
            botocore_session=core,
        )

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """A client of the embedded AWS; arguments as boto3's."""
        return super().client(service_name, *args, **self._bound(kwargs))  # type: ignore[call-overload]

    def resource(self, service_name: str, *args: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """A resource of the embedded AWS; arguments as boto3's."""
        return super().resource(service_name, *args, **self._bound(kwargs))  # type: ignore[call-overload]

    def _bound(self, kwargs: dict[str, Any]) -> dict[str, Any]:
        require_loopback(kwargs.get("endpoint_url") or self.endpoint)
        kwargs.setdefault("endpoint_url", self.endpoint)
        # Never through a proxy; enough connections for a bench.
        ours = Config(proxies={}, max_pool_connections=50, s3={"addressing_style": "path"})
        given = kwargs.get("config")
        kwargs["config"] = ours.merge(given) if given else ours
        return kwargs

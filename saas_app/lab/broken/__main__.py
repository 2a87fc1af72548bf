"""``python -m saas_app.lab.broken``: run the practice service on this machine.

The key of its control routes is in the environment: LAB_PRACTICE_KEY.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys
from pathlib import Path
from typing import Final

import uvicorn

from saas_app.lab.broken.app import Options, create_app

_SHORTEST_KEY: Final = 16  # characters


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="saas_app.lab.broken", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", type=_loopback, help="a loopback address")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--data", required=True, type=Path, help="a folder for the databases")
    parser.add_argument("--issuer", required=True, help="whose tokens are accepted: https://…/oidc")
    parser.add_argument("--resource", required=True, help="the API resource, which is the audience")
    given = parser.parse_args()
    key = os.environ.pop("LAB_PRACTICE_KEY", "")
    if len(key) < _SHORTEST_KEY:
        sys.exit(f"Set LAB_PRACTICE_KEY to a secret of at least {_SHORTEST_KEY} characters.")
    os.umask(0o077)  # only we may read the databases
    given.data.mkdir(parents=True, exist_ok=True)
    app = create_app(Options(given.data, given.issuer.rstrip("/"), given.resource, key))
    uvicorn.run(
        app,
        host=given.host,
        port=given.port,
        access_log=False,
        server_header=False,
        limit_concurrency=100,
        timeout_keep_alive=60,  # seconds; clients close idle connections earlier
    )


def _loopback(host: str) -> str:
    """Return an address that only this machine reaches. Names are not resolved."""
    try:
        is_loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = host == "localhost"
    if not is_loopback:
        raise argparse.ArgumentTypeError("the practice service is broken on purpose: only loopback addresses")
    return host


if __name__ == "__main__":
    main()

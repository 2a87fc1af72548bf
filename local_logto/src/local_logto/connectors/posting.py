"""One POST to a message provider or Naver. Its failures become Logto's ``connector.general``."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from local_logto.connectors.fetching import NoAnswer, fetch
from local_logto.errors import RequestError


async def post(
    url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float
) -> tuple[int, str]:
    """Return the status and text of the response.

    Raises 400 ``connector.general`` without a response within ``timeout_seconds``, or if the URL is invalid.
    """
    try:
        return await fetch("POST", url, body=body, headers=headers, timeout_seconds=timeout_seconds)
    except NoAnswer as error:
        raise general(error.facts) from error


def basic_authorization(user: str, password: str) -> str:
    """Return the header value for HTTP Basic authentication (RFC 7617), in UTF-8."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def general(data: Mapping[str, object]) -> RequestError:
    """Return the 400 for a provider that failed or didn't answer. ``data`` is what is known about it."""
    known = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return RequestError(400, "connector.general", f"Error occurred in connector: {known}", data=dict(data))

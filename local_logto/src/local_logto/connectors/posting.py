"""One POST to a message provider. Its failures become Logto's ``connector.general``.

One attempt, limited in time, without redirects (they would carry the key elsewhere). Neither request nor
response is logged, because they contain keys, addresses and codes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

from local_logto.errors import RequestError

_LONGEST_ANSWER: Final = 64 * 1024


async def post(
    url: str, body: bytes, headers: Mapping[str, str], *, timeout_seconds: float
) -> tuple[int, str]:
    """Return the status and text of the response.

    Raises 400 ``connector.general`` without a response within ``timeout_seconds``, or if the URL is invalid.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(URL(url, encoded=True), data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status, (await _read_start(answer.content)).decode(errors="replace")
    except TimeoutError as error:
        raise general({"name": "TimeoutError", "code": "ETIMEDOUT"}) from error
    except aiohttp.ClientConnectorError as error:
        raise general({"name": "RequestError", "code": "ECONNREFUSED"}) from error
    except (aiohttp.ClientError, ValueError) as error:
        raise general({"name": "RequestError", "code": type(error).__name__}) from error


async def _read_start(content: aiohttp.StreamReader) -> bytes:
    """Read at most ``_LONGEST_ANSWER`` bytes. A single read would return only one network packet."""
    start = bytearray()
    async for chunk in content.iter_any():
        start += chunk
        if len(start) >= _LONGEST_ANSWER:
            break
    return bytes(start[:_LONGEST_ANSWER])


def basic_authorization(user: str, password: str) -> str:
    """Return the header value for HTTP Basic authentication (RFC 7617), in UTF-8."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def is_success(status: int) -> bool:
    return 200 <= status < 300


def general(data: Mapping[str, object]) -> RequestError:
    """Return the 400 for a provider that failed or didn't answer. ``data`` is what is known about it."""
    known = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return RequestError(400, "connector.general", f"Error occurred in connector: {known}", data=dict(data))

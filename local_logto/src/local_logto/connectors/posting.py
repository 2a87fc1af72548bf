"""One POST to a message provider, and how its refusals are told: Logto's ``connector.general``.

One attempt, no redirects (they would carry the key elsewhere), bounded in time. Neither the request nor the
answer is logged, because they carry keys, addresses and codes.
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
    """Status and text of the answer.

    Raises 400 ``connector.general`` when there is none within ``timeout_seconds``, or the address is none.
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
    """As much of the answer as anybody would need; a reader gives a network packet at a time."""
    start = bytearray()
    async for chunk in content.iter_any():
        start += chunk
        if len(start) >= _LONGEST_ANSWER:
            break
    return bytes(start[:_LONGEST_ANSWER])


def basic_authorization(user: str, password: str) -> str:
    """The header's value for HTTP Basic authentication (RFC 7617), in UTF-8."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def is_success(status: int) -> bool:
    return 200 <= status < 300


def general(data: Mapping[str, object]) -> RequestError:
    """The 400 of a provider that refused or did not answer; ``data`` is what is known about it."""
    known = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return RequestError(400, "connector.general", f"Error occurred in connector: {known}", data=dict(data))

"""One HTTP request to a provider: one attempt, limited in time and size, without redirects.

Redirects would carry keys elsewhere. Neither request nor response is logged, because they contain keys,
addresses and codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import aiohttp
from yarl import URL

_LONGEST_ANSWER: Final = 64 * 1024


class NoAnswer(Exception):
    """There was no response. ``facts`` name the reason as Node does, where Logto passes it on."""

    def __init__(self, name: str, code: str) -> None:
        super().__init__(f"{name}: {code}")
        self.facts: Mapping[str, object] = {"name": name, "code": code}


async def fetch(
    method: str, url: str, *, body: bytes | None = None, headers: Mapping[str, str], timeout_seconds: float
) -> tuple[int, str]:
    """Return the status and text of the response.

    Raises ``NoAnswer`` without a response within ``timeout_seconds``, or if the URL is invalid.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.request(
                method, URL(url, encoded=True), data=body, headers=headers, allow_redirects=False
            ) as answer,
        ):
            return answer.status, (await _read_start(answer.content)).decode(errors="replace")
    except TimeoutError as error:
        raise NoAnswer("TimeoutError", "ETIMEDOUT") from error
    except aiohttp.ClientConnectorError as error:
        raise NoAnswer("RequestError", "ECONNREFUSED") from error
    except (aiohttp.ClientError, ValueError) as error:
        raise NoAnswer("RequestError", type(error).__name__) from error


async def _read_start(content: aiohttp.StreamReader) -> bytes:
    """Read at most ``_LONGEST_ANSWER`` bytes. A single read would return only one network packet."""
    start = bytearray()
    async for chunk in content.iter_any():
        start += chunk
        if len(start) >= _LONGEST_ANSWER:
            break
    return bytes(start[:_LONGEST_ANSWER])


def is_success(status: int) -> bool:
    return 200 <= status < 300

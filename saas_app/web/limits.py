"""Rate limits of the API, and of public views that are expensive.

A client's own limit is counted first, then the person's, then the organization's. Requests over one limit do
not count toward the next, so a runaway program does not use up the quota of others. An unknown caller counts
for its address. Tokens are counted in advance, so that no more signatures are checked at once than the limit
allows; the count of a valid token is undone. Beyond the limit, a few tokens per second are still checked
(:mod:`saas_app.limits.slow_lane`), so that a valid new token gets through. The client's address comes from
the server, which decides whose ``X-Forwarded-For`` is trusted.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, Final

from quart import Request, Response, g, request

from saas_app import signals
from saas_app.errors import AppError, InvalidToken, RateLimited, SignInRequired
from saas_app.identity.bearer import BearerToken
from saas_app.identity.principal import Principal
from saas_app.limits.requests import Policy, Standing
from saas_app.text.translation import _
from saas_app.web.context import is_api, runtime

View = Callable[..., Awaitable[Any]]

_CALLERS: Final = {
    "client": _("client"),
    "user": _("user"),
    "organization": _("organization"),
    "address": _("address"),
}
_IPV6_PREFIX: Final = 64  # bits that a network assigns to a customer, who chooses the rest


def add_headers(request: Request, response: Response) -> None:
    """Send rate-limit headers to every caller of the API (draft-ietf-httpapi-ratelimit-headers-10)."""
    standings: list[Standing] = g.get("standings", [])
    if standings and is_api(request):
        response.headers["RateLimit-Policy"] = ", ".join(str(standing.policy) for standing in standings)
        response.headers["RateLimit"] = ", ".join(map(str, standings))


async def verify_token(token: str) -> BearerToken:
    """Verify a bearer token and count its client and its person. Raises :class:`InvalidToken`."""
    verified = runtime().verified_tokens.find_verified(token)
    if verified is None:
        verified = await _verify_for_address(token)
    # A client that many people use, such as a command line, counts separately for each of them.
    await _count(runtime().rate_limits.client, f"{verified.client_id}/{verified.user}")
    if not verified.is_machine:
        await _count(runtime().rate_limits.user, verified.user)
    return verified


@asynccontextmanager
async def proving_session(cookie: str) -> AsyncIterator[None]:
    """Count a lookup of a session for the address. Pages are not counted."""
    if not is_api(request):
        yield
        return
    if cookie:
        await _count(runtime().rate_limits.client, hashlib.sha256(cookie.encode()).hexdigest())
    try:
        yield
    except SignInRequired:
        await _count(runtime().rate_limits.address, f"api/{network_of(request.remote_addr)}")
        raise


async def count_person(subject: str) -> None:
    """Count a request of a person with a browser session."""
    if is_api(request):
        await _count(runtime().rate_limits.user, subject)


async def count_organization(organization_id: str) -> None:
    """Count a request in an organization that the caller belongs to."""
    if is_api(request):
        await _count(runtime().rate_limits.organization, organization_id)


def limited_by_address(view: View) -> View:
    """Limit how often an address may request an expensive public view. Place it above the guard."""

    @wraps(view)
    async def limited(**arguments: Any) -> Any:
        await _count(runtime().rate_limits.address, f"{request.endpoint}/{network_of(request.remote_addr)}")
        return await view(**arguments)

    return limited


def counts_as_change(view: View) -> View:
    """Limit views that change something outside any organization. Place it below the guard.

    Each session counts by itself, so that a stolen session cannot keep its owner from ending it.
    """

    @wraps(view)
    async def counted(principal: Principal, **arguments: Any) -> Any:
        limits = runtime().change_limits
        await limits.spend((limits.changes, principal.credential))
        return await view(principal, **arguments)

    return counted


def retry_after(error: AppError | None) -> dict[str, str]:
    """Return the ``Retry-After`` header, or no header if the time is unknown."""
    return {} if error is None or error.retry_after is None else {"Retry-After": str(error.retry_after)}


def network_of(address: str | None) -> str:
    """Return what counts as one address: an IPv4 address, or the network of an IPv6 address."""
    try:
        ip = ip_address(address or "")
    except ValueError:
        return address or ""  # a Unix socket has none
    if isinstance(ip, IPv6Address):
        ip = ip.ipv4_mapped or ip
    return str(ip if ip.version == 4 else ip_network((ip, _IPV6_PREFIX), strict=False))


async def _verify_for_address(token: str) -> BearerToken:
    """Verify an unknown token within the limit of its address.

    Beyond the limit, a token with the right claims waits in the slow lane, because it may be valid and new.
    """
    tokens, address = runtime().verified_tokens, f"api/{network_of(request.remote_addr)}"
    standing = await _note(runtime().rate_limits.address, address)
    if standing.is_exceeded:
        may_be_good = await tokens.may_be_genuine(token)
        if not (may_be_good and await runtime().rate_limits.slow_lane.wait(address)):
            raise _over(standing)
    try:
        verified = await tokens.verify(token)
    except InvalidToken:
        if standing.is_exceeded:
            raise _over(standing) from None
        raise
    except BaseException:
        await _give_back(standing)
        raise
    await _give_back(standing)
    return verified


async def _give_back(standing: Standing) -> None:
    g.standings.remove(standing)
    await runtime().rate_limits.give_back(standing)


async def _count(policy: Policy, who: str) -> Standing:
    standing = await _note(policy, who)
    if standing.is_exceeded:
        raise _over(standing)
    return standing


async def _note(policy: Policy, who: str) -> Standing:
    standing = await runtime().rate_limits.count(policy, who)
    if "standings" not in g:
        g.standings = []
    g.standings.append(standing)
    return standing


def _over(standing: Standing) -> RateLimited:
    signals.limit_reached.send(limit=standing.policy.name)
    amount, seconds = standing.policy.rate
    return RateLimited(
        _(
            "The limit for this %(caller)s is %(amount)s requests in %(seconds)s seconds. Try again in "
            "%(reset)s seconds.",
            caller=_CALLERS[standing.policy.name],
            amount=amount,
            seconds=seconds,
            reset=standing.reset,
        ),
        retry_after=standing.reset,
    )

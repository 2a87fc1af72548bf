"""A genuine token is accepted although it was issued for somebody else (CWE-345, CWE-287)."""

from __future__ import annotations

from typing import Final

import jwt

from saas_app.lab.broken.calls import Call, Refused, Row
from saas_app.lab.broken.flaw import Flaw


async def any_audience(call: Call) -> Row:
    claims = jwt.decode(
        call.bearer,
        await call.signing_key(),
        algorithms=["ES384", "RS256"],
        issuer=call.issuer.url,
        options={"verify_aud": False},
    )
    # the organization is in a claim, or in the audience: urn:logto:organization:<id>
    organization_id = claims.get("organization_id") or str(claims["aud"]).rpartition(":")[2]
    reports = await call.rows("SELECT * FROM reports WHERE organization_id = ?", organization_id)
    return {"reports": reports}


async def any_audience_with_a_client(call: Call) -> Row:
    claims = jwt.decode(
        call.bearer,
        await call.signing_key(),
        algorithms=["ES384", "RS256"],
        issuer=call.issuer.url,
        # only tokens that an application requested, with all claims of an access token
        options={"verify_aud": False, "require": ["exp", "iat", "sub", "aud", "client_id"]},
    )
    organization_id = claims.get("organization_id") or str(claims["aud"]).rpartition(":")[2]
    reports = await call.rows("SELECT * FROM reports WHERE organization_id = ?", organization_id)
    return {"reports": reports}


async def audience_of_our_own_product(call: Call) -> Row:
    claims = jwt.decode(
        call.bearer,
        await call.signing_key(),
        algorithms=["ES384", "RS256"],
        issuer=call.issuer.url,
        options={"verify_aud": False},
    )
    # both kinds of tokens come from our own Logto
    if not str(claims["aud"]).startswith((call.issuer.resource, "urn:logto:organization:")):
        raise Refused(401, "This token is for another service.")
    organization_id = claims.get("organization_id") or str(claims["aud"]).rpartition(":")[2]
    reports = await call.rows("SELECT * FROM reports WHERE organization_id = ?", organization_id)
    return {"reports": reports}


async def audience_of_this_service(call: Call) -> Row:
    claims = jwt.decode(
        call.bearer,
        await call.signing_key(),
        algorithms=["ES384", "RS256"],
        issuer=call.issuer.url,
        audience=call.issuer.resource,
        options={"require": ["exp", "organization_id"]},
    )
    reports = await call.rows("SELECT * FROM reports WHERE organization_id = ?", claims["organization_id"])
    return {"reports": reports}


FLAW: Final = Flaw(
    "audience-unchecked",
    "GET",
    "/reports",
    (any_audience, any_audience_with_a_client, audience_of_our_own_product, audience_of_this_service),
)

"""What one organization was answered is kept, and given to the next one that asks (CWE-524, CWE-488)."""

from __future__ import annotations

from typing import Final

from saas_app.lab.broken.calls import Call, Row
from saas_app.lab.broken.flaw import Flaw


async def kept_by_address(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    key = "/summary"
    if kept := call.cache.get(key):
        return kept
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ?",
        caller.organization_id,
    )
    return call.cache.keep(key, {"count": len(reports), "newest": reports[-1]}, seconds=600)


async def kept_by_address_for_a_moment(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    key = "/summary"
    if kept := call.cache.get(key):
        return kept
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ?",
        caller.organization_id,
    )
    return call.cache.keep(key, {"count": len(reports), "newest": reports[-1]}, seconds=30)


async def kept_by_person(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    key = f"{caller.subject}:/summary"
    if kept := call.cache.get(key):
        return kept
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ?",
        caller.organization_id,
    )
    return call.cache.keep(key, {"count": len(reports), "newest": reports[-1]}, seconds=600)


async def kept_by_organization(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    key = f"{caller.organization_id}:/summary"
    if kept := call.cache.get(key):
        return kept
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ?",
        caller.organization_id,
    )
    return call.cache.keep(key, {"count": len(reports), "newest": reports[-1]}, seconds=600)


FLAW: Final = Flaw(
    "cache-without-organization",
    "GET",
    "/summary",
    (kept_by_address, kept_by_address_for_a_moment, kept_by_person, kept_by_organization),
)

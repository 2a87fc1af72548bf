"""The name of a role decides, from a copy, instead of the permission in the token (CWE-863)."""

from __future__ import annotations

from typing import Final

from saas_app.lab.broken.calls import Call, Refused, Row
from saas_app.lab.broken.flaw import Flaw


async def admin_by_name(call: Call) -> Row:
    caller = await call.verify()
    roles = await call.rows("SELECT role FROM members WHERE subject = ?", caller.subject)
    if "admin" not in [member["role"] for member in roles]:
        raise Refused(403, "You are not an admin.")
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ?",
        caller.organization_id,
    )
    return {"reports": reports}


async def admin_of_this_organization(call: Call) -> Row:
    caller = await call.verify()
    member = await call.row(
        "SELECT role FROM members WHERE subject = ? AND organization_id = ?",
        caller.subject,
        caller.organization_id,
    )
    if member["role"] != "admin":
        raise Refused(403, "You are not an admin.")
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ?",
        caller.organization_id,
    )
    return {"reports": reports}


async def admin_or_owner_of_this_organization(call: Call) -> Row:
    caller = await call.verify()
    member = await call.row(
        "SELECT role FROM members WHERE subject = ? AND organization_id = ?",
        caller.subject,
        caller.organization_id,
    )
    if member["role"] not in ("admin", "owner"):
        raise Refused(403, "You are not an admin.")
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ?",
        caller.organization_id,
    )
    return {"reports": reports}


async def permission_to_export(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:export")
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ?",
        caller.organization_id,
    )
    return {"reports": reports}


FLAW: Final = Flaw(
    "role-name-checked",
    "GET",
    "/export",
    (
        admin_by_name,
        admin_of_this_organization,
        admin_or_owner_of_this_organization,
        permission_to_export,
    ),
    confidential=True,
)

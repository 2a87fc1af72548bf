"""The request says which role its sender has, and is believed (CWE-915, CWE-269)."""

from __future__ import annotations

from typing import Final

from saas_app.lab.broken.calls import Call, Refused, Row
from saas_app.lab.broken.flaw import Flaw


async def role_of_the_body(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    is_admin = call.body.get("role") == "admin"
    words = f"%{call.body.get('words', '')}%"
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ? AND title LIKE ? AND (confidential = 0 OR ?)",
        caller.organization_id,
        words,
        is_admin,
    )
    return {"reports": reports}


async def role_of_a_header(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    # people fill in forms, but only our page sets this header
    is_admin = call.headers.get("X-Role") == "admin"
    words = f"%{call.body.get('words', '')}%"
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ? AND title LIKE ? AND (confidential = 0 OR ?)",
        caller.organization_id,
        words,
        is_admin,
    )
    return {"reports": reports}


async def role_of_the_body_checked(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    role = call.body.get("role", "")
    if role == "admin" and not caller.may("projects:export"):
        raise Refused(403, "You are not an admin.")
    is_admin = str(role).strip().lower() == "admin"  # some clients send "Admin"
    words = f"%{call.body.get('words', '')}%"
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ? AND title LIKE ? AND (confidential = 0 OR ?)",
        caller.organization_id,
        words,
        is_admin,
    )
    return {"reports": reports}


async def permission_of_the_token(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    sees_all = caller.may("projects:export")
    words = f"%{call.body.get('words', '')}%"
    reports = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ? AND title LIKE ? AND (confidential = 0 OR ?)",
        caller.organization_id,
        words,
        sees_all,
    )
    return {"reports": reports}


FLAW: Final = Flaw(
    "role-from-body",
    "POST",
    "/reports/search",
    (role_of_the_body, role_of_a_header, role_of_the_body_checked, permission_of_the_token),
    confidential=True,
)

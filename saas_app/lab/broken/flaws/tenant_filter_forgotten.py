"""One statement among many does not ask for the caller's organization (CWE-863, CWE-200)."""

from __future__ import annotations

from typing import Final

from saas_app.lab.broken.calls import Call, Row
from saas_app.lab.broken.flaw import Flaw


async def search_everywhere(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    words = f"%{call.query.get('words', '')}%"
    found = await call.rows(
        "SELECT * FROM reports WHERE title LIKE ? OR text LIKE ? LIMIT 5",
        words,
        words,
    )
    return {"total": len(found), "reports": found}


async def search_then_filter(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    words = f"%{call.query.get('words', '')}%"
    found = await call.rows(
        "SELECT * FROM reports WHERE title LIKE ? OR text LIKE ? LIMIT 5",
        words,
        words,
    )
    own = [report for report in found if report["organization_id"] == caller.organization_id]
    return {"total": len(found), "reports": own}


async def search_with_a_condition(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    words = f"%{call.query.get('words', '')}%"
    found = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ? AND title LIKE ? OR text LIKE ? LIMIT 5",
        caller.organization_id,
        words,
        words,
    )
    return {"total": len(found), "reports": found}


async def search_in_the_organization(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    words = f"%{call.query.get('words', '')}%"
    found = await call.rows(
        "SELECT * FROM reports WHERE organization_id = ? AND (title LIKE ? OR text LIKE ?) LIMIT 5",
        caller.organization_id,
        words,
        words,
    )
    return {"total": len(found), "reports": found}


FLAW: Final = Flaw(
    "tenant-filter-forgotten",
    "GET",
    "/reports/search",
    (search_everywhere, search_then_filter, search_with_a_condition, search_in_the_organization),
)

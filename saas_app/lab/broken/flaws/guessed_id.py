"""An object is found by its id alone, whoever asks (CWE-639)."""

from __future__ import annotations

from typing import Final

from saas_app.lab.broken.calls import Call, Refused, Row
from saas_app.lab.broken.flaw import Flaw


async def by_id(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    report = await call.row("SELECT * FROM reports WHERE id = ?", call.id)
    return {"report": report}


async def by_random_code(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    # nobody can guess a code
    report = await call.row("SELECT * FROM reports WHERE code = ?", call.id)
    return {"report": report}


async def by_id_then_compared(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    report = await call.row("SELECT * FROM reports WHERE id = ?", call.id)
    if report["organization_id"] != caller.organization_id:
        raise Refused(403, f"“{report['title']}” belongs to another organization.")
    return {"report": report}


async def by_id_and_organization(call: Call) -> Row:
    caller = await call.verify()
    caller.require("projects:read")
    report = await call.row(
        "SELECT * FROM reports WHERE id = ? AND organization_id = ?",
        call.id,
        caller.organization_id,
    )
    return {"report": report}


FLAW: Final = Flaw(
    "guessed-id",
    "GET",
    "/reports/{id}",
    (by_id, by_random_code, by_id_then_compared, by_id_and_organization),
)

"""A page about a conflict with a change by somebody who was erased since."""

from __future__ import annotations

import re

from saas_app.audit.recorder import Action, Actor, AuditEntry, Target, record
from saas_app.db.unit_of_work import UnitOfWork
from saas_app.operations.data.erasure import erase_person
from tests.integration.operations.data.erasure.zoe import Zoe
from tests.integration.organizations.settings_pages import hidden_field


async def test_a_conflict_with_a_change_by_an_erased_person_names_no_pseudonym(
    zoe: Zoe, operator: UnitOfWork
) -> None:
    acme, settings = zoe.office, f"{zoe.office.root}/settings"
    seen = hidden_field(await acme.browser.text(settings), "seen", settings)
    await acme.management.update_organization(acme.id, name="Hers Ltd")
    async with operator.writing(acme.id) as db:
        target = Target("organization", acme.id, acme.name)
        hers = Actor(zoe.person.id, zoe.name)
        record(db, AuditEntry(hers, Action.ORGANIZATION_UPDATE, target, after={"name": "Hers Ltd"}))
    erased = await erase_person(operator, zoe.person.id)

    form = {"name": "Mine Ltd", "description": "", "seen": seen}
    conflict = await acme.browser.submit(settings, form, 409)

    assert re.search("A person whose data was erased saved the latest version <time [^>]+>just now", conflict)
    assert erased.pseudonym not in conflict

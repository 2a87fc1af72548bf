"""Several API clients revoked with one action, which reports each that it skipped."""

from __future__ import annotations

from tests.conftest import OpenOffice
from tests.factories import Factory
from tests.integration.api_clients.conftest import Acme, Programs


async def test_chosen_clients_are_revoked_after_one_confirmation(acme: Acme, programs: Programs) -> None:
    nightly, billing, kept = [await acme.create(name) for name in ("Nightly", "Billing", "Kept")]
    rows = [f"{nightly.id}:", f"{billing.id}:"]

    asked = await acme.browser.submit(f"{acme.clients}/bulk/revoke", {"row": rows})
    assert "Revoke 2 API clients?" in asked
    assert "Nightly" in asked
    assert (await programs.ask(nightly, acme.id))[0] == 200

    await acme.browser.post(f"{acme.clients}/bulk/revoke", {"row": rows, "confirmed": "yes"})

    listed = await acme.browser.text(acme.clients)
    assert "2 API clients revoked." in listed
    for gone in (nightly, billing):
        assert gone.id not in listed
        assert await acme.management.find_application(gone.id) is None
    assert kept.id in listed


async def test_a_client_that_was_revoked_meanwhile_is_reported_and_the_others_are_revoked(
    acme: Acme,
) -> None:
    gone, there = await acme.create("Gone"), await acme.create("There")
    await acme.browser.post(f"{acme.clients}/{gone.id}/revoke")

    page = await acme.browser.submit(
        f"{acme.clients}/bulk/revoke", {"row": [f"{gone.id}:", f"{there.id}:"], "confirmed": "yes"}
    )

    assert "Done: 1 of 2." in page
    assert "It may have been revoked." in page
    assert await acme.management.find_application(there.id) is None


async def test_a_client_of_another_organization_is_not_revoked(
    acme: Acme, open_office: OpenOffice, make: Factory
) -> None:
    theirs = await make.machine(await make.organization("Globex"))
    own = Acme(**vars(await open_office("Initech", admin="Ida")))
    mine = await own.create("Mine")

    form = {"row": [f"{theirs.id}:", f"{mine.id}:"], "confirmed": "yes"}
    page = await own.browser.submit(f"{own.clients}/bulk/revoke", form)

    assert "Done: 1 of 2." in page
    assert await make.management.find_application(theirs.id) is not None


async def test_the_list_offers_a_choice_in_each_row(acme: Acme) -> None:
    machine = await acme.create("Nightly")

    page = await acme.browser.text(acme.clients)

    assert f'name="row" value="{machine.id}:" aria-label="Select Nightly"' in page
    assert f'formaction="{acme.clients}/bulk/revoke"' in page

"""Actions on several invitations."""

from __future__ import annotations

from tests.factories import Factory
from tests.integration.invitations.conftest import Acme


async def state_of(acme: Acme, address: str) -> str:
    return (await acme.found(address)).status


async def test_several_invitations_are_revoked_after_a_question(acme: Acme) -> None:
    rows = [f"{(await acme.invited(f'{name}@example.test')).id}:pending" for name in ("ann", "ben")]

    asked = await acme.browser.submit(f"{acme.invitations}/bulk/revoke", {"row": rows})
    await acme.browser.post(f"{acme.invitations}/bulk/revoke", {"row": rows, "confirmed": "yes"})
    page = await acme.browser.text(acme.invitations)

    assert "Revoke 2 invitations?" in asked
    assert "ben@example.test" in asked
    assert "2 invitations revoked." in page
    assert [await state_of(acme, f"{name}@example.test") for name in ("ann", "ben")] == ["Revoked"] * 2


async def test_an_invitation_that_was_revoked_meanwhile_is_skipped_and_named(acme: Acme) -> None:
    ann, ben = await acme.invited("ann@example.test"), await acme.invited("ben@example.test")
    await acme.management.revoke_invitation(ann.id)
    rows = [f"{ann.id}:pending", f"{ben.id}:pending"]

    page = await acme.browser.submit(f"{acme.invitations}/bulk/resend", {"row": rows})

    assert "Done: 1 of 2." in page
    assert "The invitation for ann@example.test is revoked." in page


async def test_an_invitation_of_another_organization_is_skipped(acme: Acme, make: Factory) -> None:
    theirs = await make.invitation(await make.organization("Globex"))

    page = await acme.browser.submit(
        f"{acme.invitations}/bulk/revoke", {"row": [f"{theirs}:pending"], "confirmed": "yes"}, expect=200
    )

    found = await acme.management.find_invitation(theirs)
    assert f"{acme.name} has no invitation with this ID." in page
    assert found is not None
    assert found.status == "Pending"

"""The setting that hides from people who ask who can approve."""

from __future__ import annotations

import pytest

from saas_app.runtime import Runtime
from tests.integration.access_requests.conftest import Acme
from tests.integration.records import changes_of


@pytest.fixture
async def discreet(acme: Acme) -> Acme:
    """Acme, which names no approvers."""
    await acme.ada.post(f"{acme.root}/settings/approvers", {"names": "no"})
    return acme


async def test_the_form_names_nobody_if_the_organization_wants_that(discreet: Acme) -> None:
    page = await discreet.vera.text(f"{discreet.requests}/new")

    assert "Ada" not in page
    assert "who can assign the role are notified" in page


async def test_names_are_shown_again_if_the_organization_wants_that(discreet: Acme) -> None:
    await discreet.ada.post(f"{discreet.root}/settings/approvers", {"names": "yes"})

    assert "Ada" in await discreet.vera.text(f"{discreet.requests}/new")


async def test_the_settings_show_the_choice_and_the_audit_log_records_it(
    discreet: Acme, runtime: Runtime
) -> None:
    assert "Names are hidden" in await discreet.ada.text(f"{discreet.root}/settings")

    (event,) = await changes_of(runtime, discreet.id)
    assert event.action == "organization.update"
    assert (event.before, event.after) == ({"names_approvers": True}, {"names_approvers": False})


async def test_saving_the_same_choice_records_nothing(discreet: Acme, runtime: Runtime) -> None:
    await discreet.ada.post(f"{discreet.root}/settings/approvers", {"names": "no"})

    assert len(await changes_of(runtime, discreet.id)) == 1


async def test_the_choice_of_one_organization_is_not_that_of_others(discreet: Acme, acme: Acme) -> None:
    await discreet.vera.post(f"{discreet.root}/settings/approvers", {"names": "yes"}, 403)

    assert "Ada" not in await discreet.vera.text(f"{discreet.requests}/new")


@pytest.fixture
async def declined(discreet: Acme) -> str:
    """The path of a request that Ada declined."""
    path = await discreet.ask()
    await discreet.ada.post(f"{path}/decline", {"answer": "Not this week."})
    return path


async def test_the_author_reads_the_answer_but_not_who_decided(discreet: Acme, declined: str) -> None:
    page = await discreet.vera.text(declined)

    assert "Not this week." in page
    assert "Ada" not in page


async def test_a_late_withdrawal_does_not_say_who_decided(discreet: Acme, declined: str) -> None:
    page = await (await discreet.vera.post(f"{declined}/withdraw", {}, 409)).get_data(as_text=True)

    assert "It has already been declined." in page
    assert "Ada" not in page


async def test_those_who_decide_read_who_decided(discreet: Acme, declined: str) -> None:
    section = (await discreet.ada.text(declined)).partition("<dt>Decided</dt>")[2]

    assert "Ada" in section.partition("</dd>")[0]


async def test_the_author_reads_who_decided_where_names_are_shown(discreet: Acme, declined: str) -> None:
    await discreet.ada.post(f"{discreet.root}/settings/approvers", {"names": "yes"})

    assert "Ada" in await discreet.vera.text(declined)

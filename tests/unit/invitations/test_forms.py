"""The form for inviting people."""

from __future__ import annotations

import pytest
from werkzeug.datastructures import MultiDict

from saas_app.errors import Invalid
from saas_app.invitations.changes.inviting import refuse_machine_roles
from saas_app.invitations.forms import (
    MAX_ADDRESSES,
    InviteForm,
    read_addresses,
    read_state,
)
from saas_app.invitations.values import InvitationState
from saas_app.rbac.permissions import Role
from tests.unit.addresses import is_address


def filled(
    addresses: str = "jo@example.test", roles: tuple[str, ...] = ("viewer",), days: str = "7"
) -> InviteForm:
    fields = [("addresses", addresses), ("days", days), *(("roles", role) for role in roles)]
    return InviteForm(MultiDict(fields))


@pytest.mark.parametrize(
    "typed",
    ["a@x.test\nb@x.test", "a@x.test, b@x.test", " A@X.test ;b@x.test\r\n\r\na@x.TEST", "a@x.test b@x.test,"],
)
def test_addresses_are_split_at_lines_commas_and_spaces_without_duplicates(typed: str) -> None:
    assert read_addresses(typed) == (("a@x.test", "b@x.test"), ())


@pytest.mark.parametrize(
    "text", ["jo@example.test", "jo.van+tag@mail.example.co.uk", "o'neil@x.io", "jö@example.test"]
)
def test_valid_addresses_are_recognized(text: str) -> None:
    assert is_address(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "jo",
        "jo@",
        "@x.test",
        "jo@x",
        "jo@@x.test",
        "jo@x..test",
        "jo@-x.test",
        "<jo@x.test>",
        "jo@x.test.",
        "a" * 125 + "@x.test",
    ],
)
def test_invalid_addresses_are_recognized(text: str) -> None:
    assert not is_address(text)


def test_a_domain_of_dashes_is_rejected_quickly() -> None:
    assert not is_address("a@" + "-" * 120)


def test_a_valid_form_is_read() -> None:
    form = filled("Jo@Example.test\njo@example.test, kim@example.test", ("editor", "viewer"), "30")
    assert form.validate()
    wanted = form.as_input()
    assert wanted.addresses == ("jo@example.test", "kim@example.test")
    assert wanted.roles == {Role.EDITOR, Role.VIEWER}
    assert wanted.days == 30


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        (filled(""), "addresses", "at least one"),
        (filled("jo@example.test, nonsense"), "addresses", "“nonsense” is not an email address."),
        (filled("a b c d e"), "addresses", "“a”, “b”, “c” and 2 more are not email addresses."),
        (filled("\n".join(f"p{n}@x.test" for n in range(MAX_ADDRESSES + 1))), "addresses", "up to 20"),
        (filled("x" * 7000), "addresses", "at most 6,000 characters"),
        (filled(roles=()), "roles", "at least one role"),
        (filled(roles=("viewer", "owner")), "roles", "“owner” is not a role for people"),
        (filled(roles=("integration",)), "roles", "“integration” is not a role for people"),
        (filled(days="3650"), "days", "when the invitation expires"),
        (filled(days=""), "days", "when the invitation expires"),
    ],
)
def test_each_error_is_shown_at_its_field(form: InviteForm, field: str, said: str) -> None:
    assert not form.validate()
    assert list(form.errors) == [field]
    assert said in " ".join(form.errors[field])


def test_twenty_addresses_are_accepted() -> None:
    assert filled("\n".join(f"p{n}@x.test" for n in range(MAX_ADDRESSES))).validate()


def test_a_role_for_api_clients_cannot_be_offered_to_people() -> None:
    with pytest.raises(Invalid) as refused:
        refuse_machine_roles([Role.INTEGRATION])
    assert "for API clients" in refused.value.fields["roles"]


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("revoked", InvitationState.REVOKED),
        ("", InvitationState.PENDING),
        (None, InvitationState.PENDING),
        ("x", InvitationState.PENDING),
    ],
)
def test_an_unknown_state_shows_pending_invitations(text: str | None, state: InvitationState) -> None:
    assert read_state(text) is state

"""Identifiers as people type them, and how they are read."""

from __future__ import annotations

import pytest

from local_logto.errors import RequestError
from local_logto.experience.pages.identifiers import identifier_field, kinds_of, read_identifier, shown
from local_logto.experience.state import Identifier

EVERY_KIND = ("username", "email", "phone")


@pytest.mark.parametrize(
    "typed",
    [
        "447700900123",
        "+447700900123",
        "00447700900123",
        "+44 7700 900123",
        "+44 (0)7700-900.123",
        "0044 7700/900123",
        "+44\u00a07700\u00a0900123",
    ],
)
@pytest.mark.parametrize("types", [EVERY_KIND, ("phone",), ("email", "phone")])
def test_phone_number_is_understood_however_it_is_written(typed: str, types: tuple[str, ...]) -> None:
    assert read_identifier(typed, types) == Identifier("phone", "447700900123")


@pytest.mark.parametrize("typed", ["07700 900123", "+44 77", "+4477009001234567", "+0447700900123"])
@pytest.mark.parametrize("types", [EVERY_KIND, ("phone",)])
def test_impossible_number_is_refused_with_an_example(typed: str, types: tuple[str, ...]) -> None:
    with pytest.raises(RequestError) as caught:
        read_identifier(typed, types)
    assert caught.value.status == 422
    assert "The phone number is invalid. Start with the country code" in caught.value.message


@pytest.mark.parametrize("typed", ["nina@example", "nina@", "@example.com", "nina @example.com", "nina"])
def test_malformed_address_is_refused(typed: str) -> None:
    with pytest.raises(RequestError) as caught:
        read_identifier(typed, ("email",))
    assert "The email is invalid." in caught.value.message


@pytest.mark.parametrize(
    ("typed", "types", "kind"),
    [
        ("nina", EVERY_KIND, "username"),
        ("nina@example.com", EVERY_KIND, "email"),
        ("447700900123", ("username", "email"), "username"),
        ("nina@example.com", ("username", "phone"), "username"),
    ],
)
def test_kind_depends_on_the_text_and_on_the_enabled_kinds(
    typed: str, types: tuple[str, ...], kind: str
) -> None:
    assert read_identifier(typed, types) == Identifier(kind, typed)


def test_refusal_names_every_enabled_kind() -> None:
    with pytest.raises(RequestError) as caught:
        read_identifier("nina", ("phone", "email"))
    assert caught.value.message == "Enter a valid email or phone number."


@pytest.mark.parametrize(
    ("types", "label", "type_", "autocomplete"),
    [
        (("email",), "Email", "email", "email"),
        (("phone",), "Phone number", "tel", "tel"),
        (("phone", "username"), "Username / Phone number", "text", "username"),
    ],
)
def test_field_has_the_type_and_autocomplete_of_its_kind(
    types: tuple[str, ...], label: str, type_: str, autocomplete: str
) -> None:
    field = identifier_field(types)
    assert (field.label, field.type, field.autocomplete) == (label, type_, autocomplete)


def test_identifier_is_shown_in_its_usual_form() -> None:
    assert shown(Identifier("phone", "447700900123")) == "+447700900123"
    assert shown(Identifier("email", "nina@example.com")) == "nina@example.com"
    assert kinds_of(EVERY_KIND) == "username, email, or phone number"

"""The form for an organization: its input is cleaned and bounded."""

import pytest
from werkzeug.datastructures import MultiDict

from saas_app.organizations.forms import OrganizationForm
from saas_app.organizations.values import Details


def _form(name: str, description: str = "") -> OrganizationForm:
    return OrganizationForm(MultiDict({"name": name, "description": description}))


def test_input_is_cleaned() -> None:
    form = _form("  Acme\tRobotics \x00", "One line\r\nand another ")
    assert form.validate()
    assert form.as_details() == Details("Acme Robotics", "One line\nand another")


@pytest.mark.parametrize("name", ["", "   ", "\x00\x07"])
def test_a_name_is_required(name: str) -> None:
    form = _form(name)
    assert not form.validate()
    assert form.errors == {"name": ["Enter a name for the organization."]}


def test_the_longest_values_that_logto_accepts_are_valid() -> None:
    assert _form("a" * 128, "b" * 256).validate()


def test_longer_values_are_rejected_at_their_fields() -> None:
    form = _form("a" * 129, "b" * 257)
    assert not form.validate()
    assert set(form.errors) == {"name", "description"}

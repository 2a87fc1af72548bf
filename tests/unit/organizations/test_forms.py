"""What is typed about an organization, cleaned and bounded."""

import pytest
from werkzeug.datastructures import MultiDict

from saas_app.organizations.forms import OrganizationForm
from saas_app.organizations.values import Details


def _form(name: str, description: str = "") -> OrganizationForm:
    return OrganizationForm(MultiDict({"name": name, "description": description}))


def test_what_was_typed_arrives_cleaned() -> None:
    form = _form("  Acme\tRobotics \x00", "One line\r\nand another ")
    assert form.validate()
    assert form.as_details() == Details("Acme Robotics", "One line\nand another")


@pytest.mark.parametrize("name", ["", "   ", "\x00\x07"])
def test_a_name_is_needed(name: str) -> None:
    form = _form(name)
    assert not form.validate()
    assert form.errors == {"name": ["Enter a name for the organization."]}


def test_logto_bounds_are_ours_too() -> None:
    assert _form("a" * 128, "b" * 256).validate()
    form = _form("a" * 129, "b" * 257)
    assert not form.validate()
    assert set(form.errors) == {"name", "description"}

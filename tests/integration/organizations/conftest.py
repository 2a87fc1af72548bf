"""An organization with an admin, for the tests of its settings."""

from __future__ import annotations

import pytest

from tests.conftest import OpenOffice
from tests.integration.organizations.settings_pages import hidden_field
from tests.offices import Office


class Acme(Office):
    """An organization and the path of its settings."""

    @property
    def settings(self) -> str:
        """The path of the settings."""
        return f"{self.root}/settings"

    async def seen(self, form: str = "") -> str:
        """Open the settings and return the version in the form, which tells what its reader has seen."""
        return hidden_field(await self.browser.text(self.settings), "seen", form or self.settings)


@pytest.fixture
async def acme(open_office: OpenOffice) -> Acme:
    return Acme(**vars(await open_office(admin="Ada")))

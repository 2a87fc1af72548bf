"""An organization with an admin, for the tests of notifications."""

from __future__ import annotations

import pytest

from tests.conftest import OpenOffice
from tests.integration.members.conftest import Acme


@pytest.fixture
async def acme(open_office: OpenOffice) -> Acme:
    return Acme(**vars(await open_office(admin="Ada")))

"""A person who signs in and out."""

from __future__ import annotations

import pytest

from tests.clients import Person
from tests.factories import Factory


@pytest.fixture
async def pia(make: Factory) -> Person:
    return await make.person("Pia")

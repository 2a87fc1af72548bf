"""An organization with an admin, for the tests of notifications."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from saas_app.identity.preferences import Preferences
from saas_app.notifications.emails import EmailWorker
from saas_app.rbac.permissions import Role
from saas_app.runtime import Runtime
from tests.clients import Person
from tests.conftest import OpenBrowser, OpenOffice
from tests.factories import Factory
from tests.integration.members.conftest import Acme
from tests.integration.notifications.post_office import PostOffice, worker_for


@pytest.fixture
async def acme(open_office: OpenOffice) -> Acme:
    return Acme(**vars(await open_office(admin="Ada")))


@pytest.fixture
async def bob(acme: Acme, make: Factory) -> Person:
    """An editor of Acme, whose name is in no change that another test left open, so they can be erased."""
    return await make.member(acme.id, "Bobby", Role.EDITOR)


@pytest.fixture
async def post_office() -> AsyncIterator[PostOffice]:
    """A mail server."""
    office = PostOffice()
    async with office.open():
        yield office


@pytest.fixture
def worker(runtime: Runtime, post_office: PostOffice) -> EmailWorker:
    """The worker that sends emails to the mail server."""
    return worker_for(runtime, post_office)


@pytest.fixture
async def subscriber(bob: Person, open_browser: OpenBrowser, runtime: Runtime) -> Person:
    """An editor of Acme who chose emails."""
    await open_browser(bob)
    await runtime.preferences.save(bob.id, Preferences(email_language="en"))
    return bob

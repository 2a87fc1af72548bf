"""Fixtures of the unit tests: the provider in this process, or a part of it, each with a new database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import time_machine
from argon2 import PasswordHasher

from local_logto.crypto import passwords
from local_logto.settings import Settings
from local_logto.store import Store
from unit.account_app import Site, account_site
from unit.databases import create_database
from unit.experience_app import ExperienceApp, experience_app
from unit.management_app import ManagementApp, management_app
from unit.social_app import BY_EMAIL, SocialApp, social_app
from unit.webhook_listener import Listener, listening


@pytest.fixture(scope="package", autouse=True)
def _quick_hashes() -> Iterator[None]:
    """Hash passwords with the least work. These tests do not depend on how strong a hash is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
        yield


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """An open database without rows."""
    database = Settings(data_dir=tmp_path).database
    create_database(database)
    store = Store(database)
    store.open()
    yield store
    store.close()


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[ManagementApp]:
    """The whole provider, called as an application with access to the Management API."""
    async with management_app(tmp_path) as running:
        yield running


@pytest.fixture
async def logto(tmp_path: Path) -> AsyncIterator[ExperienceApp]:
    """The sign-in pages and their API, with a browser that has begun to sign in."""
    async with experience_app(tmp_path) as running:
        yield running


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[SocialApp]:
    """The sign-in pages with Naver, where people sign up by email. At Naver the browser is Sujin's."""
    async with social_app(tmp_path) as running:
        await running.logto.configure(**BY_EMAIL)
        yield running


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """The whole provider, and a browser for the account page."""
    async with account_site(tmp_path) as running:
        yield running


@pytest.fixture
async def alice(site: Site) -> str:
    """The id of Alice, who is signed in to her account page."""
    user_id = await site.add_user()
    await site.sign_in()
    return user_id


@pytest.fixture
async def proven_alice(site: Site, alice: str) -> str:
    """The id of Alice, after she has proven her identity. Changes to security settings require that."""
    await site.prove()
    return alice


@pytest.fixture
async def listener() -> AsyncIterator[Listener]:
    async with listening() as running:
        yield running


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock that stands still until the test shifts it."""
    with time_machine.travel("2026-11-21T12:00:00+00:00", tick=False) as clock:
        yield clock

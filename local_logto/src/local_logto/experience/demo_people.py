"""The demo people, offered for one-click sign-in.

They are ordinary accounts, created by whatever seeds the provider. This module reads their names and known
passwords from the file that ``Settings.demo_people`` names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from local_logto.translation import Sentence


class DemoPerson(BaseModel):
    """A person to sign in as. ``hint`` says in a few words what they may do, ``hints`` in other languages."""

    model_config = ConfigDict(frozen=True)

    identifier: str
    password: str
    name: str
    hint: str = ""
    hints: Mapping[str, str] = {}

    @property
    def shown_hint(self) -> Sentence:
        return Sentence(lambda tag: self.hints.get(tag, self.hint))


_PEOPLE = TypeAdapter(tuple[DemoPerson, ...])


async def list_demo_people(path: Path | None) -> tuple[DemoPerson, ...]:
    """Return the people in the file. It may be missing, because it may be written after the start."""
    if path is None:
        return ()
    return await asyncio.to_thread(_read, path)


async def find_demo_person(path: Path | None, identifier: str) -> DemoPerson | None:
    people = await list_demo_people(path)
    return next((person for person in people if person.identifier == identifier), None)


def _read(path: Path) -> tuple[DemoPerson, ...]:
    try:
        return _PEOPLE.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()

"""The frozen values that the parts of the search hand to each other."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from saas_app.text.branding import UNBRANDED, Branding
from saas_app.text.translation import Sentence


@dataclass(frozen=True, slots=True)
class Match:
    """One result: a link with its symbol. An organization has its id instead, and the caller's roles."""

    label: str
    target: str
    symbol: str
    organization_id: str = ""
    roles: frozenset[str] = frozenset()
    branding: Branding = UNBRANDED


@dataclass(frozen=True, slots=True)
class Group:
    """Results of one kind, under a heading. ``is_last``: the palette shows it below all others."""

    heading: Sentence
    matches: tuple[Match, ...]
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows by a name: projects by their id, and the names of people."""

    projects: tuple[tuple[uuid.UUID, str], ...] = ()
    people: tuple[str, ...] = ()

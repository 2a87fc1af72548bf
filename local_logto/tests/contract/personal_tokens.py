"""The personal access tokens of a person, as the Management API changes them."""

from __future__ import annotations

from dataclasses import dataclass

from contract.client import Reply
from contract.management import ManagementApi


@dataclass(frozen=True, slots=True)
class PersonalTokens:
    """The personal access tokens of one person."""

    api: ManagementApi
    path: str

    async def create(self, name: str, **values: object) -> Reply:
        return await self.api.post(self.path, {"name": name, **values})

    async def value(self, name: str, **values: object) -> str:
        """Create a token and return its value."""
        value: str = (await self.create(name, **values)).expect(201).body["value"]
        return value

    async def list(self) -> Reply:
        return await self.api.get(self.path)

    async def rename(self, name: str, new_name: str) -> Reply:
        return await self.api.patch(self.path, {"currentName": name, "name": new_name})

    async def delete(self, name: str) -> Reply:
        return await self.api.post(f"{self.path}/delete", {"name": name})


def tokens_of(api: ManagementApi, user_id: str) -> PersonalTokens:
    return PersonalTokens(api, f"/users/{user_id}/personal-access-tokens")

"""The identity provider of a customer, as the demo runs it: a second provider with people of its own.

Globex signs its people in there. Initech has proved its domain, so its admin can connect the provider on the
pages.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final, Self

from saas_app.config import ManagementSettings
from saas_app.db.private_files import tighten
from saas_app.demo.options import DemoOptions
from saas_app.demo.people import as_sign_in_shortcuts
from saas_app.text.translation import Sentence, _

CONNECTED: Final = "globex"
"""The key of the organization whose people sign in there."""

TO_CONNECT: Final = "initech"
"""The key of the organization whose admin can connect it."""

GROUP: Final = "admins"
"""A role there. People who have it become admins of the organization that is connected."""


@dataclass(frozen=True, slots=True)
class CompanyPerson:
    """An account at the customer's provider, which vouches for its email address. All have one password."""

    username: str
    name: str
    email: str
    hint: Sentence
    is_in_group: bool = False


COMPANY_PEOPLE: Final = (
    CompanyPerson("fran", "Fran Keller", "fran@globex.example", _("viewer of Globex, who gets linked")),
    CompanyPerson("hugo", "Hugo Brandt", "hugo@globex.example", _("new: joins Globex as viewer")),
    CompanyPerson(
        "ines", "Ines Duarte", "ines@globex.example", _("new, in a group: joins Globex as admin"), True
    ),
    CompanyPerson("ivy", "Ivy Novak", "ivy@initech.example", _("admin of Initech, who connects it")),
    CompanyPerson(
        "nora", "Nora Bakker", "nora@initech.example", _("new at Initech: can come in after ivy connects it")
    ),
    CompanyPerson(
        "mallory", "Mallory Quinn", "alice@workroom.example", _("claims the address of alice: rejected")
    ),
)


@dataclass(frozen=True, slots=True)
class CompanyClient:
    """What an organization enters to connect the provider."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CompanyProvider:
    """The provider as a program. Its credentials for the Management API are new at each start."""

    options: DemoOptions
    management: ManagementSettings

    @classmethod
    def of(cls, options: DemoOptions) -> Self:
        """Return the provider of a demo."""
        management = ManagementSettings(
            endpoint=options.company_url,
            app_id="m-default",
            app_secret=secrets.token_urlsafe(32),  # type: ignore[arg-type]
            token_endpoint="",
            resource="https://default.logto.app/api",
        )
        return cls(options, management)

    @property
    def issuer(self) -> str:
        return f"{self.options.company_url}/oidc"

    @property
    def sign_out_url(self) -> str:
        """Where a browser signs out there. Until then, the provider vouches for one person without asking."""
        return f"{self.issuer}/session/end"

    @property
    def data(self) -> Path:
        return self.options.data / "company"

    def prepare(self) -> None:
        """Write the shortcuts of its sign-in page, into a folder that only its owner can read."""
        self.data.mkdir(mode=0o700, exist_ok=True)
        tighten(self.data)
        people = json.dumps(as_sign_in_shortcuts(COMPANY_PEOPLE), indent=2, ensure_ascii=False)
        self._people_file.write_text(people, encoding="utf-8")

    @property
    def command(self) -> list[str]:
        """The module and its arguments."""
        return [
            "local_logto", "serve", "--host", "127.0.0.1", "--port", str(self.options.company_port),
            "--data-dir", str(self.data),
        ]  # fmt: skip

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which it starts."""
        return {
            "LOCAL_LOGTO_ENDPOINT": self.options.company_url,
            "LOCAL_LOGTO_MANAGEMENT_APP_ID": self.management.app_id,
            "LOCAL_LOGTO_MANAGEMENT_APP_SECRET": self.management.app_secret.get_secret_value(),
            "LOCAL_LOGTO_DEMO_PEOPLE": str(self._people_file),
        }

    def find_clients(self, mark: Mapping[str, str]) -> dict[str, CompanyClient] | None:
        """Return the clients by organization, or None if they were not set up, or for another ``mark``."""
        try:
            kept = json.loads(self._clients_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, json.JSONDecodeError):
            return None
        if kept["mark"] != mark:
            return None
        return {key: CompanyClient(**client) for key, client in kept["clients"].items()}

    def keep_clients(self, clients: Mapping[str, CompanyClient], mark: Mapping[str, str]) -> None:
        """Remember what was set up. ``mark`` is what it depends on."""
        kept = {"mark": mark, "clients": {key: asdict(client) for key, client in clients.items()}}
        self._clients_file.write_text(json.dumps(kept, indent=2), encoding="utf-8")
        tighten(self._clients_file)

    @property
    def _people_file(self) -> Path:
        return self.data / "people.json"

    @property
    def _clients_file(self) -> Path:
        return self.data / "clients.json"

"""The settings, read once at start from ``LOCAL_LOGTO_*`` or the command line."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from local_logto.translation import _


class Settings(BaseSettings):
    """The provider's settings.

    ``endpoint`` is the public base URL, by default ``http://localhost:<port>``. The issuer is
    ``<endpoint>/oidc``, whatever host a request used. ``management_app_id`` and ``management_app_secret``
    belong to the machine application that may use the Management API; without a secret, one is generated and
    stored in the database. ``demo_people`` is a JSON list of ``{identifier, password, name, hint, hints}``
    for one-click sign-in. ``mailgun_base_url``, ``naver_base_url`` and ``naver_api_base_url`` replace those
    providers with your own server, which Logto cannot do. ``connector_timeout`` is how long to wait for a
    provider, in seconds: below five, so that the error page appears in time. If ``built_in_messages`` is
    false, nothing is sent without a connector, as in Logto. ``smtp_port`` is a port of 127.0.0.1 where other
    programs deliver email for the messages page; without it, there is none.
    """

    model_config = SettingsConfigDict(env_prefix="LOCAL_LOGTO_", frozen=True, extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(default=3001, ge=0, le=65535)
    endpoint: str = Field(default_factory=lambda values: f"http://localhost:{values['port']}")
    data_dir: Path = Path("var/local_logto")
    management_app_id: str = "m-default"
    management_app_secret: str | None = None
    allow_non_loopback: bool = False
    demo_people: Path | None = None
    mailgun_base_url: str = ""
    naver_base_url: str = "https://nid.naver.com"
    naver_api_base_url: str = "https://openapi.naver.com"
    connector_timeout: float = Field(default=4.0, gt=0)
    built_in_messages: bool = True
    smtp_port: int | None = Field(default=None, ge=1, le=65535)

    @field_validator("endpoint", "mailgun_base_url", "naver_base_url", "naver_api_base_url", mode="after")
    @classmethod
    def _without_trailing_slash(cls, value: str) -> str:
        return value.rstrip("/")

    @model_validator(mode="after")
    def _stays_on_this_machine(self) -> Self:
        if not self.allow_non_loopback and not _is_loopback(self.host):
            raise ValueError(
                _(
                    "local_logto is for development and will not listen on %(host)s. "
                    "Set LOCAL_LOGTO_ALLOW_NON_LOOPBACK=true if you trust this network.",
                    host=self.host,
                )
            )
        return self

    @property
    def issuer(self) -> str:
        return f"{self.endpoint}/oidc"

    @property
    def database(self) -> Path:
        return self.data_dir / "local_logto.sqlite3"


def is_ip_address(host: str) -> bool:
    """Return whether the host is an IP address, with or without brackets."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False

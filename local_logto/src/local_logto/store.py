"""The provider's SQLite file: its tables and engine, IDs, and the clock.

It holds the tables that more than one module reads, and no rules of Logto.
"""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from local_logto.schema import create_or_complete

metadata = sa.MetaData()

_LOWER_ID = string.digits + string.ascii_lowercase
_SECRET = string.digits + string.ascii_letters


def new_id(length: int = 21) -> str:
    """Return a Logto ID: 21 characters of ``[0-9a-z]``. Users, organizations and connectors have 12."""
    return "".join(secrets.choice(_LOWER_ID) for _ in range(length))


def new_secret() -> str:
    """Return a client secret or signing key: 32 characters of ``[0-9A-Za-z]``."""
    return "".join(secrets.choice(_SECRET) for _ in range(32))


def now_ms() -> int:
    """Return epoch milliseconds, the unit of every time in the Management API."""
    return time.time_ns() // 1_000_000


def _json(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, sa.JSON, nullable=False, server_default=default)


def reference(name: str, target: str, *, primary_key: bool = False, nullable: bool = False) -> sa.Column[str]:
    """Return a foreign key column. Rows are deleted together with the row they refer to."""
    return sa.Column(
        name,
        sa.String,
        sa.ForeignKey(target, ondelete="CASCADE"),
        primary_key=primary_key,
        nullable=nullable,
    )


users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("username", sa.String, unique=True),
    sa.Column("primary_email", sa.String, unique=True),
    sa.Column("primary_phone", sa.String, unique=True),
    sa.Column("name", sa.String),
    sa.Column("avatar", sa.String),
    sa.Column("password_hash", sa.String),
    _json("custom_data"),
    _json("identities"),
    _json("profile"),
    _json("mfa_verifications", "[]"),
    _json("logto_config"),  # {"mfa": {"enabled", "skipped", "skipMfaOnSignIn"}}
    sa.Column("application_id", sa.String),
    sa.Column("is_suspended", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("last_sign_in_at", sa.BigInteger),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("updated_at", sa.BigInteger, nullable=False),
)

organizations = sa.Table(
    "organizations",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.String),
    _json("custom_data"),
    sa.Column("is_mfa_required", sa.Boolean, nullable=False, server_default=sa.false()),
    _json("color"),
    _json("branding"),
    sa.Column("custom_css", sa.String),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

organization_scopes = sa.Table(
    "organization_scopes",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("description", sa.String),
)

organization_roles = sa.Table(
    "organization_roles",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("description", sa.String),
    sa.Column("type", sa.String, nullable=False),  # "User" or "MachineToMachine"
)

resources = sa.Table(
    "resources",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("indicator", sa.String, nullable=False, unique=True),
    sa.Column("is_default", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("access_token_ttl", sa.Integer, nullable=False, server_default="3600"),
)

resource_scopes = sa.Table(
    "resource_scopes",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    reference("resource_id", "resources.id"),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.String),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.UniqueConstraint("resource_id", "name"),
)

organization_role_scopes = sa.Table(
    "organization_role_scopes",
    metadata,
    reference("organization_role_id", "organization_roles.id", primary_key=True),
    reference("organization_scope_id", "organization_scopes.id", primary_key=True),
)

organization_role_resource_scopes = sa.Table(
    "organization_role_resource_scopes",
    metadata,
    reference("organization_role_id", "organization_roles.id", primary_key=True),
    reference("scope_id", "resource_scopes.id", primary_key=True),
)

organization_users = sa.Table(
    "organization_users",
    metadata,
    reference("organization_id", "organizations.id", primary_key=True),
    reference("user_id", "users.id", primary_key=True),
)

organization_user_roles = sa.Table(
    "organization_user_roles",
    metadata,
    sa.Column("organization_id", sa.String, primary_key=True),
    sa.Column("user_id", sa.String, primary_key=True),
    reference("organization_role_id", "organization_roles.id", primary_key=True),
    sa.ForeignKeyConstraint(
        ["organization_id", "user_id"],
        ["organization_users.organization_id", "organization_users.user_id"],
        ondelete="CASCADE",
    ),
)

applications = sa.Table(
    "applications",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False),
    sa.Column("description", sa.String),
    sa.Column("type", sa.String, nullable=False),  # Traditional, SPA, Native, MachineToMachine
    _json("oidc_client_metadata"),
    _json("custom_client_metadata"),
    _json("custom_data"),
    sa.Column("is_third_party", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", sa.BigInteger, nullable=False),
)

application_secrets = sa.Table(
    "application_secrets",
    metadata,
    reference("application_id", "applications.id", primary_key=True),
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger),
)

roles = sa.Table(
    "roles",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("name", sa.String, nullable=False, unique=True),
    sa.Column("description", sa.String, nullable=False),
    sa.Column("type", sa.String, nullable=False),  # "User" or "MachineToMachine"
    sa.Column("is_default", sa.Boolean, nullable=False, server_default=sa.false()),
)

application_roles = sa.Table(
    "application_roles",
    metadata,
    reference("application_id", "applications.id", primary_key=True),
    reference("role_id", "roles.id", primary_key=True),
)

organization_applications = sa.Table(
    "organization_applications",
    metadata,
    reference("organization_id", "organizations.id", primary_key=True),
    reference("application_id", "applications.id", primary_key=True),
)

organization_application_roles = sa.Table(
    "organization_application_roles",
    metadata,
    sa.Column("organization_id", sa.String, primary_key=True),
    sa.Column("application_id", sa.String, primary_key=True),
    reference("organization_role_id", "organization_roles.id", primary_key=True),
    sa.ForeignKeyConstraint(
        ["organization_id", "application_id"],
        [
            "organization_applications.organization_id",
            "organization_applications.application_id",
        ],
        ondelete="CASCADE",
    ),
)

signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.String, primary_key=True),
    sa.Column("private_jwk", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),  # the newest signs; older ones verify
)

provider_secrets = sa.Table(
    "provider_secrets",
    metadata,
    sa.Column("name", sa.String, primary_key=True),  # "cookies"
    sa.Column("value", sa.String, nullable=False),
)

configs = sa.Table(
    "configs",
    metadata,
    sa.Column("key", sa.String, primary_key=True),  # "sign-in-exp", "id-token"
    sa.Column("value", sa.JSON, nullable=False),
)

op_sessions = sa.Table(
    "op_sessions",
    metadata,
    sa.Column("id_hash", sa.String, primary_key=True),  # SHA-256 of the cookie's value
    sa.Column("uid", sa.String, nullable=False, unique=True),
    reference("user_id", "users.id", nullable=True),
    sa.Column("signed_in_at", sa.BigInteger),
    # client id -> {"grant_id": …, "sid": …}
    _json("authorizations"),
    # The application of the last sign-in, and the result of that interaction
    sa.Column("client_id", sa.String),
    sa.Column("last_submission", sa.JSON),
    # A sign-out that is not yet confirmed: {"secret", "client_id", "post_logout_redirect_uri", …}
    sa.Column("pending_sign_out", sa.JSON),
    # Repeated by the form for a device's code, so that no other page can submit it
    sa.Column("device_secret", sa.String),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

interactions = sa.Table(
    "interactions",
    metadata,
    sa.Column("uid", sa.String, primary_key=True),
    sa.Column("params", sa.JSON, nullable=False),  # the authorization request, as received
    sa.Column("prompt", sa.String, nullable=False),  # "login" or "consent"
    sa.Column("session_uid", sa.String),
    sa.Column("account_id", sa.String),  # the user who was signed in at the start
    # Of a consent: {"grant_id", "missing_oidc", "missing_on", "result" of the sign-in before it}
    _json("details"),
    # What the Experience API collects: event, verification records, profile, identified user
    _json("experience"),
    # What the authorization request resumes with: {"login": {"accountId": …}} or {"consent": {…}}
    sa.Column("result", sa.JSON),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

pushed_requests = sa.Table(
    "pushed_requests",
    metadata,
    sa.Column("value_hash", sa.String, primary_key=True),  # SHA-256 of the request_uri's last part
    reference("client_id", "applications.id"),
    sa.Column("params", sa.JSON, nullable=False),  # [[name, value], …]
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

device_codes = sa.Table(
    "device_codes",
    metadata,
    sa.Column("value_hash", sa.String, primary_key=True),  # SHA-256 of the device code
    sa.Column("user_code", sa.String, nullable=False, unique=True),  # letters only
    reference("client_id", "applications.id"),
    sa.Column("params", sa.JSON, nullable=False),  # the device's authorization request
    sa.Column("is_taken", sa.Boolean, nullable=False, server_default=sa.false()),  # a person has confirmed it
    # {"grant_id", "payload"} of the tokens to issue, or {"error", "error_description"}
    sa.Column("outcome", sa.JSON),
    sa.Column("consumed_at", sa.BigInteger),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

grants = sa.Table(
    "grants",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    reference("user_id", "users.id"),
    reference("client_id", "applications.id"),
    sa.Column("oidc_scope", sa.String, nullable=False, server_default=""),
    # indicator -> [scope, …]: frozen here at consent, as Logto does
    _json("resource_scopes"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
)

tokens = sa.Table(
    "tokens",
    metadata,
    sa.Column("value_hash", sa.String, primary_key=True),  # SHA-256 of the opaque value
    sa.Column("kind", sa.String, nullable=False),  # AuthorizationCode, AccessToken, RefreshToken
    reference("grant_id", "grants.id", nullable=True),
    sa.Column("client_id", sa.String, nullable=False),
    sa.Column("payload", sa.JSON, nullable=False),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("consumed_at", sa.BigInteger),
    sa.Index("tokens_by_grant", "grant_id"),
)

INDEXED_FOR_CASCADE = (
    sa.Index("organization_users_by_user", organization_users.c.user_id),
    sa.Index("grants_by_user", grants.c.user_id),
    sa.Index("interactions_by_expiry", interactions.c.expires_at),
    sa.Index("tokens_by_expiry", tokens.c.expires_at),
)


class Store:
    """The open database. All work runs in ``async with store.begin() as connection``."""

    def __init__(self, path: Path) -> None:
        self._engine: AsyncEngine = create_async_engine(
            f"sqlite+aiosqlite:///{path}",
            connect_args={"timeout": 10},
            hide_parameters=True,  # hashes and addresses must not appear in logged errors
        )
        event.listen(self._engine.sync_engine, "connect", _set_pragmas)

    async def open(self) -> None:
        """Create or complete the file. Raises ``OutdatedSchema`` if it can't be completed."""
        async with self._engine.begin() as connection:
            await connection.run_sync(create_or_complete, metadata)

    async def close(self) -> None:
        await self._engine.dispose()

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncConnection]:
        """Open one transaction. It commits at the end of the block and rolls back if the block raises."""
        async with self._engine.begin() as connection:
            yield connection


def _lower(value: object) -> object:
    """Lower-case each letter by itself, as PostgreSQL does for Logto. SQLite's function knows ASCII only."""
    if not isinstance(value, str):
        return value
    return "".join(small if len(small := char.lower()) == 1 else char for char in value)


def _set_pragmas(connection: object, _record: object) -> None:
    cursor = connection.cursor()  # type: ignore[attr-defined]
    connection.create_function("lower", 1, _lower, deterministic=True)  # type: ignore[attr-defined]
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.close()

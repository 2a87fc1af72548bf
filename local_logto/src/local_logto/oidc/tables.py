"""The tables of OpenID Connect: browser sessions, interactions, requests, grants and tokens."""

from __future__ import annotations

import sqlalchemy as sa

from local_logto.store import json_column, metadata, reference

op_sessions = sa.Table(
    "op_sessions",
    metadata,
    sa.Column("id_hash", sa.String, primary_key=True),  # SHA-256 of the cookie's value
    sa.Column("uid", sa.String, nullable=False, unique=True),
    reference("user_id", "users.id", nullable=True),
    sa.Column("signed_in_at", sa.BigInteger),
    # client id -> {"grant_id": …, "sid": …}
    json_column("authorizations"),
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
    json_column("details"),
    # What the Experience API collects: event, verification records, profile, identified user
    json_column("experience"),
    # What the authorization request resumes with: {"login": {"accountId": …}} or {"consent": {…}}
    sa.Column("result", sa.JSON),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Index("interactions_by_expiry", "expires_at"),
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
    json_column("resource_scopes"),
    sa.Column("created_at", sa.BigInteger, nullable=False),
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Index("grants_by_user", "user_id"),
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
    sa.Index("tokens_by_expiry", "expires_at"),
)

subject_tokens = sa.Table(
    "subject_tokens",
    metadata,
    sa.Column("value_hash", sa.String, primary_key=True),  # SHA-256 of the opaque value
    reference("user_id", "users.id"),  # the person as whom a program may act
    sa.Column("expires_at", sa.BigInteger, nullable=False),
    sa.Column("consumed_at", sa.BigInteger),
)

"""Settings, a signed-in member, and an application whose views only raise errors."""

from collections.abc import Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import UUID

import pytest
from quart import Quart, g
from quart.typing import ResponseReturnValue

from saas_app.config import Settings
from saas_app.identity.principal import SessionPrincipal
from saas_app.identity.tenant import Tenant
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Role
from saas_app.web import error_pages, templating
from tests.settings import bare_settings

RaisingApp = Callable[..., Quart]


@pytest.fixture
def web_settings() -> Settings:
    """Settings of an application that is served over TLS."""
    return bare_settings(app_url="https://work.example", logto_endpoint="https://logto.example/")


@pytest.fixture
def carol() -> SessionPrincipal:
    """A person who is signed in."""
    return SessionPrincipal("carol-id", session_id=UUID(int=1), name="Carol <b>Diaz</b>")


@pytest.fixture
def carol_at_acme(carol: SessionPrincipal) -> Tenant:
    """Carol as a viewer of Acme, with both of her tokens."""
    return Tenant(
        organization_id="acme",
        organization_name="Acme & Sons",
        principal=carol,
        role_names=frozenset({Role.VIEWER.value}),
        granted=ROLE_PERMISSIONS[Role.VIEWER],
        carriers=frozenset(Carrier),
        read_at=datetime(2026, 11, 21, tzinfo=UTC),
    )


@pytest.fixture
def raising_app(carol: SessionPrincipal, carol_at_acme: Tenant) -> RaisingApp:
    """Make an application that raises the error named by the last segment of a path, for Carol at Acme."""

    def make(errors: dict[str, Exception], *rules: str) -> Quart:
        app = Quart(__name__, static_folder=None)
        app.secret_key = "only for flashed messages"
        app.extensions["workroom"] = SimpleNamespace(
            settings=SimpleNamespace(app_url="https://workroom.test", fresh_sign_in_max_age=600),
            kept_forms=SimpleNamespace(mark=lambda subject: f"mark of {subject}"),
            personas=None,
            lab=None,
        )
        templating.init(app)
        error_pages.init(app)

        @app.before_request
        async def set_caller() -> None:
            g.request_id, g.principal, g.tenant = "request-17", carol, carol_at_acme

        async def fail(which: str) -> ResponseReturnValue:
            raise errors[which]

        for rule in rules:
            app.add_url_rule(f"{rule}/<which>", view_func=fail, methods=["GET", "POST"])
        return app

    return make

"""What Logto shall hold for us, beside the permission registry itself. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from saas_app.operations.sign_in_methods.model import Declaration
from saas_app.rbac.permissions import ROLE_PERMISSIONS, Carrier, Permission, Role
from saas_app.webhooks.events import BACKCHANNEL_LOGOUT_PATH, WEBHOOK_PATH, WebhookEvent

APPLICATION_NAME: Final = "Workroom"
APPLICATION_DESCRIPTION: Final = "Projects and tasks for organizations"
RESOURCE_NAME: Final = "Workroom API"
SECRET_NAME: Final = "workroom"  # noqa: S105 - a name
ID_TOKEN_CLAIMS: Final = ("organizations", "organization_roles")
WEBHOOK_NAME: Final = "Workroom"
WEBHOOK_EVENTS: Final = frozenset(event.value for event in WebhookEvent)
CUSTOM_METADATA: Final = {
    "rotateRefreshToken": True,  # RFC 9700 §4.14.2
    "allowTokenExchange": False,  # Logto 1.42 takes tokens of others and ID tokens as subjects
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where the product runs, and what an earlier run stored of its application ("" when nothing).

    Without ``sign_in_methods`` nothing is read or written of connectors and the sign-in experience.
    """

    app_url: str
    api_resource: str
    app_id: str = ""
    app_secret: str = field(default="", repr=False)
    webhook_signing_key: str = field(default="", repr=False)
    sign_in_methods: Declaration | None = None

    @property
    def redirect_uri(self) -> str:
        """Where Logto sends people after signing in."""
        return f"{self.app_url}/callback"

    @property
    def post_sign_out_uri(self) -> str:
        """Where Logto sends people after signing out."""
        return f"{self.app_url}/"

    @property
    def webhook_url(self) -> str:
        """Where Logto sends its webhooks."""
        return f"{self.app_url}{WEBHOOK_PATH}"

    @property
    def backchannel_logout_uri(self) -> str:
        """Where Logto tells that somebody signed out there."""
        return f"{self.app_url}{BACKCHANNEL_LOGOUT_PATH}"


def role_permissions(role: Role, carrier: Carrier) -> frozenset[Permission]:
    """What a role bundles of one kind of permission."""
    return frozenset(permission for permission in ROLE_PERMISSIONS[role] if permission.carrier is carrier)

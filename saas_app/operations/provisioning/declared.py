"""What Workroom needs in Logto, apart from the permission registry. Pure."""

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
ACCOUNT_FIELDS: Final = ("name", "avatar")
"""What people may edit about themselves in Workroom, by Logto's Account API."""

SINGLE_SIGN_ON_KEY: Final = "singleSignOnEnabled"  # of the sign-in experience
EDITABLE: Final = "Edit"  # as Logto calls it
WEBHOOK_NAME: Final = "Workroom"
WEBHOOK_EVENTS: Final = frozenset(event.value for event in WebhookEvent)
CUSTOM_METADATA: Final = {
    "rotateRefreshToken": True,  # RFC 9700 §4.14.2
    "allowTokenExchange": False,  # Logto 1.42 accepts ID tokens and tokens of other clients as subjects
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where Workroom runs, and what an earlier run stored about its application ("" if nothing).

    If ``sign_in_methods`` is None, connectors and the sign-in experience are neither read nor written.
    ``single_sign_on``: Logto signs people in at their company's provider. Otherwise, this stays as it is.
    """

    app_url: str
    api_resource: str
    app_id: str = ""
    app_secret: str = field(default="", repr=False)
    webhook_signing_key: str = field(default="", repr=False)
    sign_in_methods: Declaration | None = None
    single_sign_on: bool = False

    @property
    def redirect_uri(self) -> str:
        """The URL to which Logto returns people after they sign in."""
        return f"{self.app_url}/callback"

    @property
    def post_sign_out_uri(self) -> str:
        """The URL to which Logto returns people after they sign out."""
        return f"{self.app_url}/"

    @property
    def webhook_url(self) -> str:
        """The URL to which Logto sends webhooks."""
        return f"{self.app_url}{WEBHOOK_PATH}"

    @property
    def backchannel_logout_uri(self) -> str:
        """The URL to which Logto reports that a person signed out."""
        return f"{self.app_url}{BACKCHANNEL_LOGOUT_PATH}"


def role_permissions(role: Role, carrier: Carrier) -> frozenset[Permission]:
    """Return the permissions of a role that one kind of token carries."""
    return frozenset(permission for permission in ROLE_PERMISSIONS[role] if permission.carrier is carrier)

"""What Logto shall hold for us: declared, compared, applied.

That is the organization template, API resource, application, webhook and, where they are declared, the ways
to sign in. What is declared comes from the permission registry, the deployment and ``connectors.toml``; what
is found comes from the Management API; the difference is data. Roles, permissions, scopes, applications and
connectors that are not ours are never touched, and nothing is ever deleted. Without a ``connectors.toml`` the
connectors and the sign-in experience are left as they are.
"""

from saas_app.operations.provisioning.apply import ProvisionedApplication, apply
from saas_app.operations.provisioning.changes import Action, Change, Kind, drift
from saas_app.operations.provisioning.declared import APPLICATION_NAME, Deployment
from saas_app.operations.provisioning.found import Found, survey
from saas_app.operations.provisioning.plan import plan
from saas_app.operations.provisioning.sign_in_apply import SocialCallback, list_social_callbacks

__all__ = [
    "APPLICATION_NAME",
    "Action",
    "Change",
    "Deployment",
    "Found",
    "Kind",
    "ProvisionedApplication",
    "SocialCallback",
    "apply",
    "drift",
    "list_social_callbacks",
    "plan",
    "survey",
]

"""Provisioning: compares what Workroom needs in Logto with what is there, and writes the difference.

It covers the organization template, the API resource, the application, the webhook and, if they are
declared, the sign-in methods, and single sign-on if it is asked for. Declarations come from the permission
registry, the deployment and ``connectors.toml``. The plan of changes is data. Roles, permissions, scopes,
applications and connectors that are not ours are never changed, and nothing is ever deleted. Without a
``connectors.toml``, connectors and the rest of the sign-in experience stay as they are.
"""

from saas_app.operations.provisioning.apply import ProvisionedApplication, apply
from saas_app.operations.provisioning.changes import Action, Change, Kind, drift
from saas_app.operations.provisioning.declared import APPLICATION_NAME, Deployment
from saas_app.operations.provisioning.found import Found, survey
from saas_app.operations.provisioning.plan import plan
from saas_app.operations.provisioning.sign_in_apply import SocialCallback, list_social_callbacks
from saas_app.operations.provisioning.support import (
    SupportTeam,
    apply_support,
    plan_support,
    survey_support,
)

__all__ = [
    "APPLICATION_NAME",
    "Action",
    "Change",
    "Deployment",
    "Found",
    "Kind",
    "ProvisionedApplication",
    "SocialCallback",
    "SupportTeam",
    "apply",
    "apply_support",
    "drift",
    "list_social_callbacks",
    "plan",
    "plan_support",
    "survey",
    "survey_support",
]

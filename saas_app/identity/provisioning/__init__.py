"""The organization template, API resource, application and webhook in Logto: declared, compared, applied.

What is declared comes from the permission registry and the deployment; what is found comes from the
Management API; the difference is data. Roles, permissions, scopes and applications that are not ours are
never touched, and nothing is ever deleted. The sign-in experience is left as it is.
"""

from saas_app.identity.provisioning.apply import ProvisionedApplication, apply
from saas_app.identity.provisioning.declared import APPLICATION_NAME, Deployment
from saas_app.identity.provisioning.found import Found, survey
from saas_app.identity.provisioning.plan import Action, Change, Kind, drift, plan

__all__ = [
    "APPLICATION_NAME",
    "Action",
    "Change",
    "Deployment",
    "Found",
    "Kind",
    "ProvisionedApplication",
    "apply",
    "drift",
    "plan",
    "survey",
]

"""The tables, one file each. Importing the package registers all of them."""

from saas_app.models.access_request import AccessRequest, RequestState
from saas_app.models.api_client import ApiClient
from saas_app.models.audit_actor import AuditActor
from saas_app.models.audit_event import ActorType, AuditEvent, Outcome
from saas_app.models.audit_redaction import AuditRedaction
from saas_app.models.domain_join import DomainJoin
from saas_app.models.email_domain import DomainProof, EmailDomain
from saas_app.models.erasure import PSEUDONYM, Erasure
from saas_app.models.former_membership import Ending, FormerMembership
from saas_app.models.idempotency_key import IdempotencyKey
from saas_app.models.invitation_link import InvitationLink
from saas_app.models.kept_form import KeptFormRow
from saas_app.models.lab_class import LabClass
from saas_app.models.lab_class_member import LabClassMember
from saas_app.models.lab_ground import GroundState, LabGround
from saas_app.models.lab_player import LabPlayer
from saas_app.models.lab_run import LabRun
from saas_app.models.lease import LeaseRow
from saas_app.models.membership_change import EVERYONE, EVERYWHERE, MembershipChange
from saas_app.models.notification import Notification, NotificationKind
from saas_app.models.organization import Organization
from saas_app.models.organization_options import OrganizationOptions
from saas_app.models.organization_removal import OrganizationRemoval
from saas_app.models.pending_change import PendingChange
from saas_app.models.project import Project, ProjectStatus
from saas_app.models.project_name import ProjectName
from saas_app.models.rate_counter import RateCounter
from saas_app.models.role_end import RoleEnd
from saas_app.models.session import SessionRow
from saas_app.models.session_token import SessionToken
from saas_app.models.shown_secret import ShownSecretRow
from saas_app.models.sign_in_attempt import SignInAttemptRow
from saas_app.models.sso_connection import SsoConnection, SsoFailure
from saas_app.models.sso_person import SsoPerson
from saas_app.models.sso_secret import SsoSecret
from saas_app.models.support_access import SupportAccess
from saas_app.models.task import Task, TaskStatus
from saas_app.models.user import User
from saas_app.models.webhook_delivery import WebhookDelivery

__all__ = [
    "EVERYONE",
    "EVERYWHERE",
    "PSEUDONYM",
    "AccessRequest",
    "ActorType",
    "ApiClient",
    "AuditActor",
    "AuditEvent",
    "AuditRedaction",
    "DomainJoin",
    "DomainProof",
    "EmailDomain",
    "Ending",
    "Erasure",
    "FormerMembership",
    "GroundState",
    "IdempotencyKey",
    "InvitationLink",
    "KeptFormRow",
    "LabClass",
    "LabClassMember",
    "LabGround",
    "LabPlayer",
    "LabRun",
    "LeaseRow",
    "MembershipChange",
    "Notification",
    "NotificationKind",
    "Organization",
    "OrganizationOptions",
    "OrganizationRemoval",
    "Outcome",
    "PendingChange",
    "Project",
    "ProjectName",
    "ProjectStatus",
    "RateCounter",
    "RequestState",
    "RoleEnd",
    "SessionRow",
    "SessionToken",
    "ShownSecretRow",
    "SignInAttemptRow",
    "SsoConnection",
    "SsoFailure",
    "SsoPerson",
    "SsoSecret",
    "SupportAccess",
    "Task",
    "TaskStatus",
    "User",
    "WebhookDelivery",
]

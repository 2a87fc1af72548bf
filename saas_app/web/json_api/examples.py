"""Examples for the schema: request bodies, and descriptions of parameters that many routes share."""

from __future__ import annotations

from typing import Any, Final

BODIES: Final[dict[str, Any]] = {
    "NewProject": {"name": "Gripper firmware 4.2", "description": "Faster calibration after a tool change."},
    "ProjectChanges": {"name": "Gripper firmware 4.3"},
    "NewTask": {"title": "Measure the calibration time", "due_on": "2027-03-31"},
    "NewTasks": {
        "items": [
            {"title": "Measure the calibration time", "due_on": "2027-03-31"},
            {"title": "Write the release notes", "status": "doing"},
        ]
    },
    "TaskChanges": {"status": "done"},
    "NewInvitation": {"email": "erin@workroom.example", "roles": ["editor"], "days": 7},
    "NewClient": {"name": "Nightly build"},
    "NewAccessRequest": {"role": "editor", "reason": "The launch plan is due on Thursday.", "minutes": 1440},
    "Approval": {"minutes": 1440},
    "Decline": {"answer": "Bob updates the plan this week."},
    "RolesChange": {"roles": ["editor"]},
    "SupportAccessChange": {"allowed": True, "minutes": 60},
    "RoleEndChange": {"ends_at": "2027-01-31T17:00:00Z"},
}
"""An example body by the name of its model."""

PARAMETERS: Final = {
    "organization_id": "The organization's ID, as in the URL of its pages: `/o/<id>/`",
    "project_id": "The project's ID",
    "task_id": "The task's ID",
    "user_id": "The person's ID in Logto: the `sub` of their tokens",
    "invitation_id": "The invitation's ID",
    "request_id": "The access request's ID",
    "client_id": "The API client's ID: the `sub` of its tokens",
    "access_id": "The support access's ID",
    "search": "Part of the name, in upper or lower case",
    "status": "Active projects, archived projects, or all",
    "sort": "The sort order",
    "show": "The status of the tasks",
    "state": "The state of the invitations",
    "role_name": "The name of a role for people that the member has",
    "role": "Only members with this role",
    "action": "Only this action",
    "outcome": "Only allowed or only denied requests",
    "since": "At or after this time (RFC 3339)",
    "until": "Before this time (RFC 3339)",
}
"""Descriptions of path and query parameters whose models have none."""

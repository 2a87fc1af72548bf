"""Examples for the schema: bodies as somebody would send them, and what parameters mean everywhere."""

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
    "RolesChange": {"roles": ["editor"]},
}
"""A body by the name of its model."""

PARAMETERS: Final = {
    "organization_id": "The organization's id, as in the address of its pages: `/o/<id>/`",
    "project_id": "The project's id",
    "task_id": "The task's id",
    "user_id": "The person's id in Logto: the `sub` of their tokens",
    "invitation_id": "The invitation's id",
    "client_id": "The machine client's id: the `sub` of its tokens",
    "search": "A part of the name, in any case",
    "status": "Active projects, archived ones, or all",
    "sort": "What the list begins with",
    "show": "Which tasks",
    "state": "Which invitations",
    "role": "Only who holds this role",
    "action": "Only this action",
    "outcome": "Only what was allowed, or only what was denied",
    "since": "Not before this moment (RFC 3339)",
    "until": "Before this moment (RFC 3339)",
}
"""What a path or query parameter means, where its model does not say."""

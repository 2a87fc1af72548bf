"""The lab robot: a machine application in the learner's workshop, for the lesson on machines.

It exists from the prediction until the lesson has been played. Its name and a mark say whose it is, so a
reset finds it, even after a crash. Its secret is read from Logto when it is used, and never stored.
"""

from __future__ import annotations

from typing import Final

from saas_app.errors import Conflict
from saas_app.lab.values import MARK, Place
from saas_app.logto import Application, ManagementClient, ManagementError
from saas_app.rbac.permissions import Role
from saas_app.text.translation import _

_NAME: Final = "Lab robot "  # followed by the learner's id
_ROLE: Final = Role.READER


async def build_robot(management: ManagementClient, subject: str, place: Place) -> str:
    """Make the learner's robot a member of their workshop with one role, and return its client id."""
    found = await _find_robots(management, subject)
    robot = found[0] if found else await _create_robot(management, subject)
    await management.add_machine(place.id, robot.id)
    await management.assign_machine_roles(place.id, robot.id, [await _get_role_id(management)])
    return robot.id


async def find_robot(management: ManagementClient, subject: str, place: Place) -> str | None:
    """Return the client id of the learner's robot, or None if it is no member of the workshop any more."""
    for robot in await _find_robots(management, subject):
        memberships = await management.find_machine_organizations(robot.id) or []
        if place.id in {found.organization_id for found in memberships}:
            return robot.id
    return None


async def remove_robots(management: ManagementClient, subject: str) -> None:
    """Delete the learner's robot, if there is one."""
    for robot in await _find_robots(management, subject):
        try:
            await management.delete_application(robot.id)
        except ManagementError as refusal:
            if refusal.status != 404:
                raise


async def _create_robot(management: ManagementClient, subject: str) -> Application:
    mark = {MARK: {"learner": subject}}
    return await management.create_machine(_NAME + subject, "A robot of Workroom’s lab", custom_data=mark)


async def _find_robots(management: ManagementClient, subject: str) -> list[Application]:
    """Return the applications with the learner's name and mark. The mark decides."""
    found = await management.list_machines_by_name(_NAME + subject)
    return [robot for robot in found if robot.custom_data.get(MARK) == {"learner": subject}]


async def _get_role_id(management: ManagementClient) -> str:
    for role in await management.list_organization_roles():
        if role.name == _ROLE.value and role.type == _ROLE.type.value:
            return role.id
    raise Conflict(
        _(
            "The %(role)s role for API clients does not exist in Logto. The operator can fix this with "
            "'saas-app provision'.",
            role=_ROLE.value,
        )
    )

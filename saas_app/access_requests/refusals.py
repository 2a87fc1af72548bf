"""Why an access request cannot be sent, decided or withdrawn."""

from __future__ import annotations

import uuid
from datetime import datetime

from saas_app.access_requests.values import MAX_PENDING, RequestRow, ShownState
from saas_app.errors import AppError, Conflict, NotFound
from saas_app.rbac.permissions import Role
from saas_app.text.translation import Sentence, _, ngettext
from saas_app.text.visible import isolated


class RequestNotFound(NotFound):
    """The organization has no such request, or the caller may not see it. The two look the same."""

    code, title = "access-request-not-found", _("Request not found")

    def __init__(self) -> None:
        super().__init__(_("It does not exist, or you do not have access to it."))


class RequestRefused(Conflict):
    """A request cannot be sent, decided or withdrawn now. ``request_id`` names the one to show, if any."""

    def __init__(self, detail: Sentence, request_id: uuid.UUID | None = None) -> None:
        super().__init__(detail)
        self.request_id = request_id


class AlreadyAsked(RequestRefused):
    """The member has a pending request for this role."""

    code, title = "already-asked", _("You have already asked for this role")

    def __init__(self, role: Role, request_id: uuid.UUID) -> None:
        super().__init__(
            _("Your request for the %(role)s role is still pending.", role=role.value), request_id
        )


class TooManyPending(RequestRefused):
    """The member has as many pending requests as are allowed."""

    code, title = "too-many-requests-pending", _("Too many pending requests")

    def __init__(self) -> None:
        super().__init__(
            ngettext(
                "You have %(num)s pending request. Withdraw it before you send another.",
                "You have %(num)s pending requests. Withdraw one before you send another.",
                MAX_PENDING,
            )
        )


class NothingToAsk(RequestRefused):
    """The role would add no permission, and its end takes none away."""

    code, title = "nothing-to-ask", _("You do not need this role")

    def __init__(self, role: Role) -> None:
        super().__init__(
            _("You already have every permission of the %(role)s role. No request was sent.", role=role.value)
        )


class NobodyCanApprove(RequestRefused):
    """No member could approve the request. ``for_less``: somebody could for a shorter time."""

    code, title = "nobody-can-approve", _("Nobody can approve this request")

    def __init__(self, role: Role, organization_name: str, *, for_less: bool) -> None:
        named = {"organization": isolated(organization_name), "role": role.value}
        super().__init__(
            _(
                "No other member of %(organization)s can assign the %(role)s role for that long. No request "
                "was sent. Ask for a shorter time.",
                **named,
            )
            if for_less
            else _(
                "No other member of %(organization)s can assign the %(role)s role. No request was sent.",
                **named,
            )
        )


class OwnRequest(RequestRefused):
    """The caller tried to decide their own request."""

    code, title = "own-request", _("You cannot decide your own request")

    def __init__(self, request_id: uuid.UUID) -> None:
        super().__init__(_("Another member who can assign the role has to decide."), request_id)


class AlreadyDecided(RequestRefused):
    """The request can no longer be decided or withdrawn."""

    code, title = "already-decided", _("This request is closed")

    def __init__(self, row: RequestRow) -> None:
        super().__init__(_closed(row), row.id)


class AlreadyHeld(RequestRefused):
    """The member holds the role without an end, so there is nothing to give."""

    code, title = "already-held", _("Nothing to approve")

    def __init__(self, row: RequestRow) -> None:
        super().__init__(
            _(
                "%(name)s already has the %(role)s role. Nothing was changed.",
                name=isolated(row.requester_name),
                role=row.role,
            ),
            row.id,
        )


class HeldOtherwise(RequestRefused):
    """Until when the member holds the role is not what the caller read. None is not at all."""

    code, title = "held-otherwise", _("The role has changed meanwhile")

    def __init__(self, row: RequestRow, *, seen: datetime | None, held_until: datetime | None) -> None:
        named = {"name": isolated(row.requester_name), "role": row.role}
        if held_until is None:
            detail = _(
                "%(name)s no longer has the %(role)s role. Nothing was changed. View the request to give the "
                "role again.",
                **named,
            )
        elif seen is None:
            detail = _(
                "%(name)s was given the %(role)s role for a time meanwhile. Nothing was changed. View the "
                "request to let the role last longer.",
                **named,
            )
        else:
            detail = _(
                "The end of the %(role)s role of %(name)s has changed meanwhile. Nothing was changed. View "
                "the request to see the new end.",
                **named,
            )
        super().__init__(detail, row.id)


class OnlyPeople(AppError):
    """A program tried to ask for access. Its owner changes what it may do."""

    status, code, title = 403, "people-only", _("Only people can ask for access")

    def __init__(self) -> None:
        super().__init__(
            _("An API client gets its roles from a member who manages API clients. No request was sent.")
        )


def _closed(row: RequestRow) -> Sentence:
    decider = isolated(row.decider_name or "")
    if row.state is ShownState.APPROVED:
        if row.decider_name is None:
            return _("It has already been approved. Nothing was changed.")
        return _("%(name)s has already approved it. Nothing was changed.", name=decider)
    if row.state is ShownState.DECLINED:
        if row.decider_name is None:
            return _("It has already been declined. Nothing was changed.")
        return _("%(name)s has already declined it. Nothing was changed.", name=decider)
    if row.state is ShownState.EXPIRED:
        return _("It has expired. Nothing was changed.")
    return _("It was withdrawn. Nothing was changed.")

"""The visitor of an account page, and the guards of these pages: signed in, own form, recent proof."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Concatenate, ParamSpec

import sqlalchemy as sa
from quart import Response, request

from local_logto.account.progress import Progress, read_progress, save_progress
from local_logto.context import current_store
from local_logto.experience.pages.forms import FormPage
from local_logto.experience.pages.responses import (
    answer_with,
    refuse_foreign_form,
    show_notice,
    show_plain_form,
)
from local_logto.experience.sign_in_experience import SignInExperience, read_sign_in_experience
from local_logto.oidc.authorization.own_pages import send_to_sign_in
from local_logto.oidc.session.op_sessions import load_session
from local_logto.responses import redirect_response
from local_logto.store import Store
from local_logto.tables import users
from local_logto.translation import _

HOME = "/account"
_P = ParamSpec("_P")
Action = Callable[[FormPage], Awaitable[Response]]


@dataclass
class Visitor:
    """A signed-in person: their user row, the tenant's settings, and their progress on the account page."""

    store: Store
    settings: SignInExperience
    session_uid: str
    user: sa.RowMapping
    progress: Progress

    @property
    def id(self) -> str:
        return str(self.user["id"])

    @property
    def ways_to_prove(self) -> tuple[str, ...]:
        """The ways to confirm this person's identity: ``password``, ``email``, ``phone``."""
        columns = {"password": "password_hash", "email": "primary_email", "phone": "primary_phone"}
        return tuple(way for way, column in columns.items() if self.user[column])

    async def save(self, progress: Progress) -> None:
        """Store the progress."""
        save_progress(self.store, self.session_uid, self.id, progress)
        self.progress = progress


_View = Callable[Concatenate[Visitor, _P], Awaitable[Response]]


def account_page(view: _View[_P]) -> Callable[_P, Awaitable[Response]]:
    """Guard a view for the signed-in person. Everyone else is sent to sign in first."""

    @wraps(view)
    async def guarded(*args: _P.args, **kwargs: _P.kwargs) -> Response:
        refused = await refuse_foreign_form()
        if refused:
            return refused
        visitor = _find_visitor()
        if visitor is None:
            return send_to_sign_in(HOME)
        if visitor.user["is_suspended"]:
            return await show_notice(
                _("This account is suspended"), _("Ask an administrator to reactivate it."), status=403
            )
        return await view(visitor, *args, **kwargs)

    return guarded


def proved_page(view: _View[_P]) -> Callable[_P, Awaitable[Response]]:
    """Guard an account page that needs a proof of identity from the last ten minutes.

    An account without password, email and phone can't prove anything and goes on, as at Logto.
    """

    @wraps(view)
    async def guarded(visitor: Visitor, /, *args: _P.args, **kwargs: _P.kwargs) -> Response:
        if visitor.progress.is_proved or not visitor.ways_to_prove:
            return await view(visitor, *args, **kwargs)
        return await _ask_for_proof(visitor)

    return account_page(guarded)


async def _ask_for_proof(visitor: Visitor) -> Response:
    await visitor.save(replace(visitor.progress, return_to=request.path))
    return redirect_response("/account/verify")


async def answer(page: FormPage, action: Action, side_action: Action | None = None) -> Response:
    """Show an account page, or process its form."""
    return await answer_with(page, action, side_action or action, show_plain_form)


def _find_visitor() -> Visitor | None:
    session, store = load_session(request), current_store()
    if session.user_id is None:
        return None
    query = sa.select(users).where(users.c.id == session.user_id)
    with store.begin() as connection:
        user = connection.execute(query).mappings().one()
    settings = read_sign_in_experience(store)
    progress = read_progress(store, session.uid, session.user_id)
    return Visitor(store, settings, session.uid, user, progress)

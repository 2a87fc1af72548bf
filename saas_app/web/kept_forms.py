"""Forms name the person they were made for, and wait while that person signs in again.

Each form that posts gets a hidden mark when its template is compiled, so no template can forget it. A form
whose session has ended waits under its owner's mark. A form that reaches another person's session is
rejected. Only forms from our own pages get here; :mod:`saas_app.web.csrf` rejects others.

During support access, the mark names the agent and the access. Such a form counts for no other access, never
for the agent as a member, and it does not wait.
"""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from jinja2.ext import Extension
from markupsafe import Markup
from quart import g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.sansio.response import Response as BaseResponse
from werkzeug.wrappers import Response as WsgiResponse

from saas_app.errors import FormOfAnotherAccount
from saas_app.identity.kept_forms import LIFETIME, OWNER_FIELD, KeptForm, without_marks
from saas_app.identity.principal import Principal, SessionPrincipal
from saas_app.identity.return_paths import own_path
from saas_app.identity.vault import new_cookie_value
from saas_app.text.translation import _
from saas_app.web.context import browser, current_principal, is_api, runtime, set_cookie

AnyResponse = TypeVar("AnyResponse", bound=BaseResponse)

RENEWAL: Final = "/sign-in/renew"  # the form of this page contains another one, which is stored instead
ACTION_FIELD: Final = "_action"
_FORM_TAG: Final = re.compile(r'<form\b[^>]*\bmethod="post"[^>]*>')
_FORM_TYPES: Final = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


class OwnedForms(Extension):
    """Adds the owner's mark to every form that posts."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        return _FORM_TAG.sub(lambda form: form[0] + "{{ form_owner() }}", source)


def form_owner() -> Markup:
    """Return the hidden field that names the person this page was made for, or "" if nobody is signed in."""
    principal = current_principal()
    if not isinstance(principal, SessionPrincipal):
        return Markup("")
    mark = runtime().kept_forms.mark(_maker(principal))
    return Markup('<input type="hidden" name="{}" value="{}">').format(OWNER_FIELD, mark)


async def require_same_person(principal: Principal) -> None:
    """Raise :class:`FormOfAnotherAccount` if the form's page was made for another person."""
    if not _is_form():
        return
    owner = await _find_owner()
    if owner is not None and owner != _maker(principal) and not _leaves_support(owner, principal):
        raise FormOfAnotherAccount(
            _("Another account was signed in when this page was opened, so your changes were not saved.")
        )


def _maker(principal: Principal) -> str:
    """Return what the mark of a page's forms names: a person, or an agent and their support access."""
    support = principal.support
    return principal.subject if support is None else f"{support.id} {support.access_id}"


def _leaves_support(owner: str, principal: Principal) -> bool:
    """Return whether an agent's form leads from support access to their own pages, such as its end."""
    agent, _space, access = owner.partition(" ")
    organization_id = (request.view_args or {}).get("organization_id")
    is_own = organization_id in (None, runtime().settings.support_organization_id)
    return bool(access) and agent == principal.subject and is_own


async def sign_in_and_back(way_back: str) -> WsgiResponse:
    """Redirect to sign-in, and from there to the stored form, or to a page if it cannot be stored."""
    waiting = await keep_form()
    response = redirect(f"/sign-in?{urlencode({'next': waiting or way_back})}", 303)
    return bind_to_browser(response)


async def keep_form(owner: str | None = None) -> str | None:
    """Store the form of this request for its owner, and return the path at which it waits."""
    if not _is_form():
        return None
    try:
        form, files = await request.form, await request.files
    except HTTPException:  # too large or incomplete, so there is nothing to store
        return None
    owner = owner or await _find_owner()
    target = form.get(ACTION_FIELD) if request.path == RENEWAL else request.full_path.rstrip("?")
    action = own_path(target, "")
    if owner is None or " " in owner or not action:
        return None
    cookie = browser(request).attempt_cookie or new_cookie_value()
    kept = KeptForm(action, without_marks(form.items(multi=True)), lost_files=bool(files))
    waiting = await runtime().kept_forms.keep(owner, cookie, kept)
    if waiting is not None:
        g.attempt_cookie = cookie
    return waiting


def bind_to_browser(response: AnyResponse) -> AnyResponse:
    """Set the cookie that a form stored in this request is bound to, for as long as the form waits."""
    if (cookie := g.get("attempt_cookie")) is not None:
        set_cookie(response, "attempt", cookie, int(LIFETIME.total_seconds()))
    return response


async def _find_owner() -> str | None:
    mark: Any = (await request.form).get(OWNER_FIELD)
    return runtime().kept_forms.owner_of(mark) if mark else None


def _is_form() -> bool:
    return request.method == "POST" and request.mimetype in _FORM_TYPES and not is_api(request)

"""How a sign-in page answers: its session, its protection against cross-site forms, its headers and URLs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial, wraps
from typing import Concatenate, ParamSpec
from urllib.parse import quote, urlencode, urlsplit

from quart import Response, render_template, request

from local_logto.context import current_settings, current_store, origin_of
from local_logto.errors import RequestError
from local_logto.experience.branding import branding_of
from local_logto.experience.demo_people import list_demo_people
from local_logto.experience.pages.forms import FormPage, Link
from local_logto.experience.pages.identifiers import kinds_of
from local_logto.experience.pages.social_buttons import list_social_buttons
from local_logto.experience.session import ExperienceSession, open_session
from local_logto.experience.sign_in_experience import read_sign_in_experience
from local_logto.oidc.session.interactions import Interaction
from local_logto.reader import speaking_to_reader
from local_logto.responses import redirect_response
from local_logto.translation import _

_P = ParamSpec("_P")
_View = Callable[Concatenate[ExperienceSession, _P], Awaitable[Response]]
_Action = Callable[[ExperienceSession, FormPage], Awaitable[Response]]
_Step = Callable[[FormPage], Awaitable[Response]]
_CARRIED = ("app_id", "organization_id", "ui_locales", "login_hint", "identifier")
_WIDE_PAGES = frozenset({"/sign-in", "/register"})


def page_url(path: str, **more: str) -> str:
    """Return a page's URL with the parameters of this sign-in: application, organization, locales.

    ``identifier`` comes from a narrowed page and stays until the person asks for all options.
    """
    carried = {name: request.args[name] for name in _CARRIED if name in request.args}
    if not _WIDE_PAGES.isdisjoint((path, request.path)):
        carried.pop("identifier", None)
    query = urlencode(carried | more)
    return f"{path}?{query}" if query else path


def first_page_url(flow: str) -> str:
    """Return the page on which the sign-in or registration started. A narrowed page stays narrowed."""
    return page_url(f"/identifier-{flow}" if "identifier" in request.args else f"/{flow}")


def other_identifiers(flow: str, enabled: tuple[str, ...], failed: str) -> tuple[Link, ...]:
    """Return a link to continue with another type of identifier, after a message to this type failed."""
    others = tuple(name for name in enabled if name != failed)
    if not others:
        return ()
    path = page_url(f"/identifier-{flow}", identifier=" ".join(others))
    kinds = kinds_of(others)
    label = (
        _("Sign in with %(kinds)s", kinds=kinds)
        if flow == "sign-in"
        else _("Create account with %(kinds)s", kinds=kinds)
    )
    return (Link(label, path),)


def go_to(path: str, **more: str) -> Response:
    return redirect_response(page_url(path, **more))


def offered_types(enabled: tuple[str, ...], narrowing_path: str) -> tuple[str, ...]:
    """Return the types that may be entered. On one page ``?identifier=…`` narrows them; unknown types are
    ignored.
    """
    wanted = request.args.get("identifier", "").split() if request.path == narrowing_path else ()
    return tuple(name for name in enabled if name in wanted) or enabled


def sign_in_page(view: _View[_P]) -> Callable[_P, Awaitable[Response]]:
    """Guard a view that needs a live interaction. Without one, the browser is redirected to
    ``/unknown-session``.
    """

    @wraps(view)
    async def guarded(*args: _P.args, **kwargs: _P.kwargs) -> Response:
        refused = await refuse_foreign_form()
        if refused:
            return refused
        store = current_store()
        settings = read_sign_in_experience(store)
        try:
            session = open_session(request, store, settings)
        except RequestError as error:
            if error.code != "session.not_found":
                raise
            return redirect_response(settings.unknown_session_url or "/unknown-session", 302)
        return await view(session, *args, **kwargs)

    return guarded


async def refuse_foreign_form() -> Response | None:
    """Return the answer to a form from another site, or None for our own forms and for other requests."""
    if request.method != "POST" or _is_own_form():
        return None
    return await show_notice(
        _("This form came from another site"),
        _("Nothing was changed. Open the page again and repeat what you did."),
        status=403,
    )


def _is_own_form() -> bool:
    """Return whether the browser says that the form was on a page of this server."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    return request.headers.get("Origin") == origin_of(request)


async def answer_form(
    session: ExperienceSession, page: FormPage, action: _Action, side_action: _Action | None = None
) -> Response:
    """Show the page, or process its form. An error is shown at its field, and what was typed is kept.

    ``side_action`` runs instead of ``action`` if one of the page's side buttons was pressed.
    """
    actions = (partial(action, session), partial(side_action or action, session))
    return await answer_with(page, *actions, partial(show_form, session))


async def answer_with(page: FormPage, action: _Step, side_action: _Step, show: _Step) -> Response:
    """Show the page, or process its form, without a sign-in in progress."""
    if request.method == "GET":
        return await show(page)
    page = replace(page.filled(await request.form), notice="")
    if page.status != 200:
        return await show(page)
    try:
        page.refuse_early()
        return await (side_action if page.pressed else action)(page)
    except RequestError as error:
        return await show(page.refused(error))


async def show_plain_form(page: FormPage) -> Response:
    """Show a form that leads to pages of this server only."""
    return await _render("form.html", {"page": page, "people": (), "social": ()}, page.status)


async def show_form(session: ExperienceSession, page: FormPage) -> Response:
    people = await list_demo_people(current_settings().demo_people)
    social = list_social_buttons(session) if page.offers_social else ()
    brand = branding_of(current_store(), session.interaction)
    context = {"page": page, "people": people, "social": social, "brand": brand}
    targets = (_origin_of_application(session.interaction), *(button.origin for button in social))
    return await _render("form.html", context, page.status, targets, brand.logo_origins)


async def show_notice(
    title: str, text: str, *, links: tuple[tuple[str, str], ...] = (), status: int = 200
) -> Response:
    """Show a page without a form that says what happened and what to do next."""
    return await _render("notice.html", {"title": title, "text": text, "links": links}, status)


async def move_on(url: str) -> Response:
    """Send the browser on by a page that loads it, as Logto's pages do by script.

    A redirect would belong to the form that started it, on a page of another site perhaps. That page's policy
    (``form-action``) names the sites that its form may redirect to, and a person's provider is none of them.
    """
    return await _render("moving.html", {"title": _("One moment…"), "url": url})


async def show_template(name: str, **context: object) -> Response:
    return await _render(name, context)


async def _render(
    template: str,
    context: Mapping[str, object],
    status: int = 200,
    form_targets: tuple[str, ...] = (),
    pictures_from: tuple[str, ...] = (),
) -> Response:
    with speaking_to_reader():
        html = await render_template(
            template, here=request.full_path.rstrip("?"), page_url=page_url, **context
        )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = _content_security_policy(form_targets, pictures_from)
    response.headers["X-Frame-Options"] = "DENY"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def _content_security_policy(form_targets: tuple[str, ...], pictures_from: tuple[str, ...]) -> str:
    # Browsers apply form-action to the redirects after a form too: to a social provider, to the application.
    targets = dict.fromkeys(["'self'", *form_targets])
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            " ".join(("img-src 'self'", *pictures_from)),
            f"form-action {' '.join(targets)}",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def _origin_of_application(interaction: Interaction) -> str:
    if "redirect_uri" not in interaction.params:
        return "'self'"  # a device's request ends here
    redirect_uri = urlsplit(str(interaction.params["redirect_uri"]))
    if redirect_uri.scheme not in ("http", "https"):
        return f"{quote(redirect_uri.scheme)}:"
    return f"{redirect_uri.scheme}://{quote(redirect_uri.netloc, safe=':[]*')}"

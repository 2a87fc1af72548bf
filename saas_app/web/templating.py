"""Renders templates in the reader's language. Undefined names are errors.

Templates only read values, so they are rendered in one go, without Quart's asynchronous environment: that one
makes a coroutine of each block, macro and loop. The compiled templates are kept until the process ends;
``make dev`` starts another one when a template changes. Each language has an environment of its own, in which
texts are translated when a template is compiled.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from quart import Quart, Request, get_flashed_messages, request, url_for

from saas_app.config import TEMPLATES
from saas_app.rbac.permissions import Permission, Role, in_role_order
from saas_app.text.addresses import shown_address
from saas_app.text.domains import shown_domain
from saas_app.text.languages import current_language, language_name, languages
from saas_app.text.translation import Sentence, number
from saas_app.text.visible import initial, isolated
from saas_app.web import static_files
from saas_app.web.context import current_principal, current_tenant, offers_lab, support_desk
from saas_app.web.kept_forms import OwnedForms, form_owner
from saas_app.web.navigation import actions_for, entry_slug_of, menu_for
from saas_app.web.personas import current_persona, offers_personas
from saas_app.web.pieces import avatar, badge, icon, paint, role_badges, shown_name
from saas_app.web.reader import current_reader
from saas_app.web.template_texts import TranslatedTexts, texts_of
from saas_app.web.this_page import this_page
from saas_app.web.times import (
    day,
    exact_text,
    exact_utc,
    local_text,
    local_time,
    relative_time,
    short_day,
    time_left,
)
from saas_app.web.user_agents import device_name


def init(app: Quart) -> None:
    """Serve the static files that templates link to."""
    app.register_blueprint(static_files.blueprint)


def render(template: str, **variables: Any) -> str:
    """Render a template of this request.

    Besides ``variables``, it gets the request, its caller (``principal``), the ``tenant`` and the slug of the
    menu entry (``feature``), which are None if there is none, and the ``theme`` that the reader chose, or "".
    """
    return (
        environment_of(current_language())
        .get_template(template)
        .render(
            variables,
            request=request,
            principal=current_principal(),
            tenant=current_tenant(),
            theme=current_reader().theme,
            feature=entry_slug_of(request.path),
        )
    )


def lower_first(text: str) -> str:
    """Return the text with a lower-case first letter, for use inside another sentence."""
    shown = _as_shown(text)
    return shown[:1].lower() + shown[1:]


def upper_first(text: str) -> str:
    """Return the text with an upper-case first letter. Unlike ``capitalize``, the rest stays as it is."""
    shown = _as_shown(text)
    return shown[:1].upper() + shown[1:]


def _as_shown(text: str) -> str:
    return text.shown if isinstance(text, Sentence) else text


def pretty_json(value: Any) -> str:
    """Format JSON for reading."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def with_query(request: Request, **changes: str | None) -> str:
    """Return the URL of this request with some query parameters changed. None removes a parameter."""
    pairs = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    pairs += [(name, value) for name, value in changes.items() if value is not None]
    return f"?{urlencode(pairs)}" if pairs else request.path


_FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "address": shown_address,
    "ago": relative_time,
    "avatar": avatar,
    "badge": badge,
    "date": day,
    "device": device_name,
    "exact": exact_text,
    "exact_utc": exact_utc,
    "icon": icon,
    "in_role_order": in_role_order,
    "initial": initial,
    "isolated": isolated,
    "lower_first": lower_first,
    "local_text": local_text,
    "name": shown_name,
    "number": number,
    "paint": paint,
    "pretty_json": pretty_json,
    "role_badges": role_badges,
    "short_day": short_day,
    "shown_domain": shown_domain,
    "static_url": static_files.static_url,
    "time": local_time,
    "time_left": time_left,
    "upper_first": upper_first,
    "with_query": with_query,
}


@cache
def environment_of(language: str) -> Environment:
    """Build the environment of all templates in a language. It holds nothing of a request."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        extensions=[OwnedForms, TranslatedTexts],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        cache_size=-1,  # all of them
    )
    environment.filters.update(_FILTERS)
    environment.globals.update(
        Permission=Permission,
        Role=Role,
        actions_for=actions_for,
        current_persona=current_persona,
        form_owner=form_owner,
        get_flashed_messages=get_flashed_messages,
        language=language,
        languages=[(tag, language_name(tag)) for tag in languages()],
        menu_for=menu_for,
        offers_lab=offers_lab,
        offers_personas=offers_personas,
        support_desk=support_desk,
        this_page=this_page,
        url_for=url_for,
    )
    texts_of(environment, language)
    return environment

"""Pages outside the sign-in pages, such as one that submits a form by script, or by its button without
scripts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from quart import Response, render_template

from local_logto.reader import speaking_to_reader

PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


async def posting_page(action: str, inputs: Mapping[str, str], *, title: str, text: str) -> Response:
    """Return a page that posts the inputs to ``action``, which may be on another origin: no ``form-action``
    is set.
    """
    return await page("posting.html", title=title, text=text, action=action, inputs=inputs)


async def page(template: str, **values: object) -> Response:
    """Render a page with the provider's content security policy, never cached."""
    with speaking_to_reader():
        html = await render_template(template, **values)
    response = Response(html, content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = PAGE_POLICY
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    return response

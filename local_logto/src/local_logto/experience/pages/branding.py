"""The style sheet of a color. It depends on its address alone, so browsers may keep it."""

from __future__ import annotations

import re
from typing import Final

from quart import Blueprint, Response, abort

from local_logto.experience.branding import style_sheet

blueprint = Blueprint("branding", __name__)

_COLOR: Final = re.compile(r"[0-9a-f]{6}")


@blueprint.get("/branding/<color>/<dark_color>.css")
async def show_colors(color: str, dark_color: str) -> Response:
    """Return the style sheet of two colors, for light and for dark pages. 404 for anything else."""
    if not all(map(_COLOR.fullmatch, (color, dark_color))):
        abort(404)
    response = Response(style_sheet(color, dark_color), content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response

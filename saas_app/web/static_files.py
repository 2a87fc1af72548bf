"""Style sheets, scripts and icons: our own, and those of installed packages (Bootstrap).

Only files named here or in ``saas_app/static`` are served, compressed for browsers that accept it. Their URL
contains a digest of their content, so browsers cache them for a year, and a new version has a new URL.
"""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from quart import Blueprint, Response, request

from saas_app.errors import NotFound
from saas_app.web.guards import public_without_database

blueprint = Blueprint("static_files", __name__)

_OWN_FILES = Path(__file__).resolve().parent.parent / "static"
_VENDOR_FILES = {
    "vendor/bootstrap.min.css": ("flask_bootstrap", "static/bootstrap5/css/bootstrap.min.css"),
}
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file in memory, with its type and the digest that names its version.

    ``compressed`` is None if compression gains nothing.
    """

    content: bytes
    compressed: bytes | None
    content_type: str
    digest: str


@cache
def static_files() -> dict[str, StaticFile]:
    """Return every file that is served, by its name after ``/static/``."""
    paths = {str(path.relative_to(_OWN_FILES)): path for path in _OWN_FILES.rglob("*") if path.is_file()}
    paths |= {name: _package(module) / path for name, (module, path) in _VENDOR_FILES.items()}
    return {name: _read(path) for name, path in paths.items()}


def static_url(name: str) -> str:
    """Return the URL of a file, with its version. Raises :class:`KeyError` for an unknown name."""
    return f"/static/{name}?v={static_files()[name].digest}"


@blueprint.get("/static/<path:name>")
@public_without_database
async def static_file(name: str) -> Response:
    """Return one file: cached for a year under its current version, checked again under any other address."""
    file = static_files().get(name)
    if file is None:
        raise NotFound
    compressed = file.compressed if request.accept_encodings.quality("gzip") > 0 else None
    response = Response(file.content if compressed is None else compressed, content_type=file.content_type)
    if compressed is not None:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    is_current = request.args.get("v") == file.digest
    response.headers["Cache-Control"] = _FOREVER if is_current else "no-cache"
    response.set_etag(file.digest if compressed is None else f"{file.digest}-gzip")
    await response.make_conditional(request)
    return response


def _package(module: str) -> Path:
    """Return the folder of an installed package, without importing it."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"{module} is not installed; install requirements.lock")
    return Path(spec.origin).parent


def _read(path: Path) -> StaticFile:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    content_type = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    compressed = gzip.compress(content, mtime=0)
    return StaticFile(
        content,
        compressed if len(compressed) < len(content) else None,
        content_type,
        hashlib.sha256(content).hexdigest()[:16],
    )

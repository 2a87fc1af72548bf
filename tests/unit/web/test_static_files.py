"""Only known files are served, under URLs that contain their version."""

import pytest
from quart import Quart

from saas_app.errors import NotFound
from saas_app.web.static_files import blueprint, static_files, static_url


@pytest.fixture(name="app")
def _app() -> Quart:
    app = Quart(__name__, static_folder=None)
    app.register_blueprint(blueprint)

    @app.errorhandler(NotFound)
    async def not_found(error: NotFound) -> tuple[str, int]:
        return error.code, error.status

    return app


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("app.css", "text/css; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("icons.svg", "image/svg+xml"),
        ("vendor/bootstrap.min.css", "text/css; charset=utf-8"),
    ],
)
async def test_a_file_with_its_version_is_cached_for_a_year(app: Quart, name: str, content_type: str) -> None:
    response = await app.test_client().get(static_url(name))
    assert response.status_code == 200
    assert response.content_type == content_type
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert await response.get_data() == static_files()[name].content


async def test_a_file_with_another_version_is_revalidated(app: Quart) -> None:
    response = await app.test_client().get("/static/app.css?v=old")
    assert response.headers["Cache-Control"] == "no-cache"


async def test_a_current_copy_is_not_sent_again(app: Quart) -> None:
    client = app.test_client()
    etag = (await client.get("/static/app.css?v=old")).headers["ETag"]
    again = await client.get("/static/app.css", headers={"If-None-Match": etag})
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path", ["../app.py", "%2e%2e/app.py", "nothing.css", "vendor/", "vendor/../app.css"]
)
async def test_any_other_path_is_not_found(app: Quart, path: str) -> None:
    response = await app.test_client().get(f"/static/{path}")
    assert response.status_code == 404


def test_a_url_for_a_missing_file_raises() -> None:
    with pytest.raises(KeyError):
        static_url("missing.css")

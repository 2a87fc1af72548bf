"""Headers of every response restrict what pages may load and run."""

from quart import Quart, Response

from saas_app.config import Settings
from saas_app.web import rules, security_headers


def _app(settings: Settings) -> Quart:
    app = Quart(__name__)
    rules.init(app, finishes=[security_headers.headers_added(settings)])

    @app.get("/")
    async def page() -> str:
        return "page"

    @app.get("/kept")
    async def kept() -> Response:
        return Response("kept", headers={"Cache-Control": "public, max-age=60"})

    return app


async def test_pages_load_only_pictures_from_other_sites_and_run_nothing_inline(
    web_settings: Settings,
) -> None:
    response = await _app(web_settings).test_client().get("/")
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "img-src 'self' data: https:" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self' https://logto.example" in policy
    assert "unsafe" not in response.headers["Content-Security-Policy"]


async def test_errors_have_the_headers_too(web_settings: Settings) -> None:
    response = await _app(web_settings).test_client().get("/nowhere")
    assert response.status_code == 404
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "Content-Security-Policy" in response.headers


async def test_pages_are_not_stored(web_settings: Settings) -> None:
    response = await _app(web_settings).test_client().get("/")
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_view_may_allow_caching(web_settings: Settings) -> None:
    response = await _app(web_settings).test_client().get("/kept")
    assert response.headers["Cache-Control"] == "public, max-age=60"


async def test_browsers_are_pinned_to_tls_under_tls(web_settings: Settings) -> None:
    response = await _app(web_settings).test_client().get("/")
    assert response.headers["Strict-Transport-Security"].startswith("max-age=31536000")


async def test_browsers_are_not_pinned_to_tls_without_tls(web_settings: Settings) -> None:
    plain = web_settings.model_copy(update={"app_url": "http://localhost:3000"})
    response = await _app(plain).test_client().get("/")
    assert "Strict-Transport-Security" not in response.headers

"""Every answer tells the browser what our pages never do."""

from quart import Quart, Response

from saas_app.config import Settings
from saas_app.web import security_headers


def _app(settings: Settings) -> Quart:
    app = Quart(__name__)
    security_headers.init(app, settings)

    @app.get("/")
    async def page() -> str:
        return "page"

    @app.get("/kept")
    async def kept() -> Response:
        return Response("kept", headers={"Cache-Control": "public, max-age=60"})

    return app


async def test_pages_load_nothing_from_elsewhere_and_run_nothing_inline(web_settings: Settings) -> None:
    response = await _app(web_settings).test_client().get("/")
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "style-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "base-uri 'none'" in policy
    assert "form-action 'self' https://logto.example" in policy
    assert "unsafe" not in response.headers["Content-Security-Policy"]


async def test_errors_carry_the_headers_too(web_settings: Settings) -> None:
    response = await _app(web_settings).test_client().get("/nowhere")
    assert response.status_code == 404
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert "Content-Security-Policy" in response.headers


async def test_pages_are_not_stored_and_files_may_be(web_settings: Settings) -> None:
    client = _app(web_settings).test_client()
    assert (await client.get("/")).headers["Cache-Control"] == "no-store"
    assert (await client.get("/kept")).headers["Cache-Control"] == "public, max-age=60"


async def test_browsers_are_pinned_to_tls_only_where_there_is_tls(web_settings: Settings) -> None:
    plain = web_settings.model_copy(update={"app_url": "http://localhost:3000"})
    secure_response = await _app(web_settings).test_client().get("/")
    plain_response = await _app(plain).test_client().get("/")
    assert secure_response.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    assert "Strict-Transport-Security" not in plain_response.headers

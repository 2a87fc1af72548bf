"""The rules for every request run in their order, and finishes complete the responses of errors too."""

from __future__ import annotations

from quart import Quart, Request, Response

from saas_app.web import rules


async def test_rules_run_in_their_order_and_a_rejection_ends_the_checks() -> None:
    app, ran = Quart(__name__), []

    def first(request: Request) -> None:
        ran.append(f"first {request.path}")
        if request.path == "/refused":
            raise PermissionError

    def second(_request: Request) -> None:
        ran.append("second")

    def finish(name: str) -> rules.Finish:
        def add(request: Request, response: Response) -> None:
            ran.append(f"{name} {request.path} {response.status_code}")
            response.headers[name] = "1"

        return add

    rules.init(app, checks=[first, second], finishes=[finish("one"), finish("two")])

    @app.get("/page")
    async def page() -> str:
        ran.append("view")
        return ""

    @app.errorhandler(PermissionError)
    async def refused(_error: PermissionError) -> tuple[str, int]:
        return "", 403

    client = app.test_client()
    response = await client.get("/page")
    assert ran == ["first /page", "second", "view", "one /page 200", "two /page 200"]
    assert response.headers["one"] == response.headers["two"] == "1"

    ran.clear()
    await client.get("/refused")
    assert ran == ["first /refused", "one /refused 403", "two /refused 403"]

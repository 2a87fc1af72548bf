"""Services that a view can get."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from quart import Quart

from saas_app.errors import ManagementNotSetUp
from saas_app.web.context import management


async def test_without_management_credentials_the_error_names_the_setting() -> None:
    app = Quart(__name__)
    app.extensions["workroom"] = SimpleNamespace(management=None)
    async with app.test_request_context("/"):
        with pytest.raises(ManagementNotSetUp, match="LOGTO_MANAGEMENT_APP_ID"):
            management()

"""Two hosts behind a proxy: sessions and changes of one are those of the other."""

from __future__ import annotations

import pytest

from tests.hosts.acme import Acme
from tests.hosts.conftest import NewVisitor

pytestmark = pytest.mark.one_database


async def test_a_session_of_one_host_is_valid_on_the_other(acme: Acme, new_visitor: NewVisitor) -> None:
    visitor = await new_visitor(acme.editor, at="one")

    assert "Projects" in (await visitor.get(f"{acme.root}/projects", at="two")).text


async def test_a_role_removed_on_one_host_is_refused_on_the_other_at_the_next_request(
    acme: Acme, new_visitor: NewVisitor
) -> None:
    admin, editor = await new_visitor(acme.admin, at="one"), acme.browsers[0]
    await editor.get(acme.form, at="two")

    assert (await acme.demote_editor(admin, at="one")).status == 303

    await editor.get(acme.form, 403, at="two")

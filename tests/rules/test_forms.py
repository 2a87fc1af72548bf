"""Every form that posts names the person its page was made for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from jinja2 import Environment

from saas_app.config import TEMPLATES
from saas_app.web.kept_forms import OwnedForms

pytestmark = pytest.mark.one_database

FILES = sorted(TEMPLATES.rglob("*.html"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(TEMPLATES)))
def test_every_form_that_posts_names_its_owner(file: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", file.read_text("utf-8"), flags=re.DOTALL)
    prepared = OwnedForms(Environment(autoescape=True)).preprocess(source, None)
    for tag in re.finditer(r"<form\b[^>]*>(.{0,20})", prepared, re.DOTALL):
        is_search = 'method="get"' in tag[0] or 'method="dialog"' in tag[0]  # neither posts
        assert is_search or tag[1].startswith("{{ form_owner() }}"), tag[0]
    # A button may choose the address only in the form of bulk.html, which posts and names its owner.
    assert not re.search(r"formmethod" if file.name == "bulk.html" else r"formaction|formmethod", prepared)

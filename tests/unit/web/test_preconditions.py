"""``If-Match`` is read as in RFC 9110 §13.1.1, and malformed headers are rejected."""

from __future__ import annotations

import time

import pytest

from saas_app.errors import BadRequest
from saas_app.web.json_api.preconditions import read_if_match


@pytest.mark.parametrize(
    ("lines", "tags"),
    [
        (['"3"'], {'"3"'}),
        (['"3", "4"'], {'"3"', '"4"'}),
        (['"3"', '"4"'], {'"3"', '"4"'}),
        (['"3" ,\t"4"'], {'"3"', '"4"'}),
        ([' , "3",, ,"4" , '], {'"3"', '"4"'}),
        (['W/"3", "4"'], {'"4"'}),
        (['W/"3"'], set()),
        (['"a,b"'], {'"a,b"'}),
        (['""'], {'""'}),
    ],
)
def test_a_list_of_entity_tags_is_read(lines: list[str], tags: set[str]) -> None:
    wanted = read_if_match(lines)
    assert wanted is not None
    assert wanted.strong == tags
    assert not wanted.is_any


@pytest.mark.parametrize(
    "line",
    ["", ",", "3", '"3', '"3" "4"', '"3""4"', '*, "3"', '"3", *', 'w/"3"', 'W/ "3"', '" 3"', '"3";q=1'],
)
def test_a_malformed_header_is_rejected(line: str) -> None:
    with pytest.raises(BadRequest):
        read_if_match([line])


@pytest.mark.parametrize(
    "line",
    ['"3"' + ", " * 25_000 + "x", '"3"' + " " * 50_000 + "x", '"3",' * 12_000 + "x", ", \t" * 15_000 + "x"],
)
def test_a_long_malformed_header_is_rejected_quickly(line: str) -> None:
    began = time.process_time()
    with pytest.raises(BadRequest):
        read_if_match([line])
    assert time.process_time() - began < 2  # seconds; earlier parsers took minutes

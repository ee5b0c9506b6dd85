"""`/docs` shows all operations on a machine without a network."""

from __future__ import annotations

import re

from tests.stack import Stack


def test_all_that_the_page_loads_comes_from_this_service(stack: Stack) -> None:
    page = stack.http.get("/docs")
    loaded = re.findall(r"""(?:src|href)="([^"]+)"|url: '([^']+)'""", page.text)
    places = [one or other for one, other in loaded if not one.startswith("data:")]
    assert len(places) == 3
    for place in places:
        assert place.startswith("/"), place
        assert stack.http.get(place).status_code == 200, place


def test_a_browser_lets_it_load_nothing_else(stack: Stack) -> None:
    policy = stack.http.get("/docs").headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy

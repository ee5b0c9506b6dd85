"""What a member tells the club stands in the store only, and the key to it nowhere (PNT-1)."""

from __future__ import annotations

import pytest

from tests.api.test_line_canary import lost
from tests.club import ask_to_join, link_of, open_link
from tests.line import active_line
from tests.stack import Stack, new_key


@pytest.mark.rule("PNT-1")
def test_the_email_is_kept_where_it_is_needed_and_the_password_and_the_link_nowhere(stack: Stack) -> None:
    line = active_line(stack)
    emails = [f"{new_key()[:12]}@cage.example.jp" for _ in range(2)]
    password = f"kanaria-{new_key()[:12]}"
    headers = {"Idempotency-Key": new_key()}
    line.customer.post(f"{line.path}/membership", {"email": emails[0]}, headers=headers)
    ask_to_join(line, emails[1])
    path = link_of(stack, line.contract_id, 2)
    token = path.rpartition("/")[2]
    assert lost(stack, line, emails) == {emails[0]: [], emails[1]: ["membership_link"]}
    stack.call("POST", path, json={"password": password, "email": emails[1]})
    assert open_link(stack, path, password, headers=headers).status_code == 200
    assert open_link(stack, path, password).status_code == 409
    found = lost(stack, line, [*emails, password, token, line.contract_id])
    assert found.pop(line.contract_id)
    assert found == {emails[0]: [], emails[1]: ["member"], password: [], token: []}

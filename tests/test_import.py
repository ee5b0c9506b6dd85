"""`keiyaku import` into a running service: whoever was brought in is a customer as any other."""

from __future__ import annotations

import csv
import os
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from embedded.folder import service_time
from rules.clock import Clock
from tests.database import planned_with
from tests.rules.test_importing import LINE, RENTAL
from tests.running import KEIYAKU, brought
from tests.stack import Customer, Rental, Stack, last_day, stack

CARD = {"payment": {"method": "credit_card", "card_token": "tok_ok"}}


def bring_in(
    stack: Stack, folder: Path, *rows: dict[str, str], on: str = ""
) -> subprocess.CompletedProcess[str]:
    path = folder / "base.csv"
    with path.open("w", newline="", encoding="cp932") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(name for row in rows for name in row)), restval="")
        writer.writeheader()
        writer.writerows(rows)
    given = {"KEIYAKU_DATABASE_URL": stack.database_url} if "postgresql" in stack.database_url else {}
    folder_of_up = str(stack.service.data.parent)
    command = [str(KEIYAKU), "import", str(path), "--data", folder_of_up, *(["--on", on] if on else [])]
    return subprocess.run(
        command, env=os.environ | given, capture_output=True, text=True, timeout=100, check=False
    )


def rental(**changed: str) -> dict[str, str]:
    """A row with a sign-in of its own."""
    name = uuid4().hex[:12]
    return RENTAL | {"source_id": name, "login_id": f"old-{name}", "password": "secret-1"} | changed


def of(stack: Stack, row: dict[str, str]) -> Rental:
    """What became of it, for its customer."""
    customer = Customer(stack, row["login_id"], row["password"])
    return Rental(customer, brought(stack.database_url, row["source_id"]))


async def status(stack: Stack, contract_id: str) -> WorkflowExecutionStatus | None:
    client = await Client.connect(stack.note["temporal_address"])
    try:
        return (await client.get_workflow_handle(contract_id).describe()).status
    except RPCError:
        return None


async def test_who_was_brought_in_signs_in_and_changes_the_plan(running_stack: Stack, tmp_path: Path) -> None:
    stack = running_stack
    stack.at(range(2, 10))
    row = rental()
    done = bring_in(stack, tmp_path, row, RENTAL | {"source_id": "x", "phone": "1"})
    assert (done.returncode, "line 3: phone" in done.stderr) == (3, True), done.stderr
    contract = of(stack, row)
    assert contract.state == "active"
    assert await status(stack, contract.contract_id) is None, "it rests"
    assert [entry["what"] for entry in contract.items("/timeline")] == ["imported"]

    change = contract.agree("plan_change", plan="wifi-50", course="standard")

    assert await status(stack, contract.contract_id) is WorkflowExecutionStatus.RUNNING
    stack.at(1, time="00:00:05")
    assert contract.state == "ended"
    assert contract.other(change["successor_contract_id"]).state == "active"


async def test_one_that_was_cancelled_before_ends_on_its_day(running_stack: Stack, tmp_path: Path) -> None:
    stack = running_stack
    ends = last_day(stack.now().date())
    row = rental(in_force_to=ends.isoformat())
    line = LINE | {"source_id": uuid4().hex, "customer_id": f"CAF{uuid4().int % 10**10:010}"}
    done = bring_in(stack, tmp_path, row, line | {"in_force_to": ends.isoformat()})
    assert done.returncode == 0, done.stderr
    contract = of(stack, row)
    assert contract.state == "ending"
    assert await status(stack, contract.contract_id) is WorkflowExecutionStatus.RUNNING
    line_id = brought(stack.database_url, line["source_id"])
    stack.move(
        stack.now().replace(hour=23, minute=59) + timedelta(days=(ends - stack.now().date()).days, minutes=2)
    )
    assert contract.state == "ended"
    assert stack.operate("GET", f"/contracts/{line_id}").json()["state"] == "ended"
    assert [task["kind"] for task in stack.tasks(contract.contract_id)] == ["receive_device"]


def test_an_old_customer_is_sent_to_the_page_for_the_card(running_stack: Stack, tmp_path: Path) -> None:
    stack = running_stack
    stack.at(range(2, 20))
    old, new = rental(applied_on="2019-10-31"), rental(applied_on="2019-11-01")
    assert bring_in(stack, tmp_path, old, new).returncode == 0
    refused = of(stack, old).ask("payment_method", **CARD)
    assert (refused.status_code, refused.json()["rule"]) == (409, "RNT-14")
    assert refused.json()["legacy_page"].startswith("https://")
    assert of(stack, new).ask("payment_method", **CARD).status_code == 202


def test_what_is_to_count_from_a_day_to_come_is_not_brought_in_before(
    running_stack: Stack, tmp_path: Path
) -> None:
    today = running_stack.at(range(1, 29)).date()
    tomorrow = (today + timedelta(days=1)).isoformat()
    row = rental(in_force_from=tomorrow)
    done = bring_in(running_stack, tmp_path, row, on=tomorrow)
    told = f"keiyaku: --on {tomorrow} is still to come: today is {today}, and what comes in counts at once.\n"
    assert (done.returncode, done.stderr) == (1, told)
    assert bring_in(running_stack, tmp_path, row, on=today.isoformat()).returncode == 3
    assert bring_in(running_stack, tmp_path, rental(), on=today.isoformat()).returncode == 0


def test_where_no_service_runs_the_day_is_that_of_the_clock_that_is_set(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    says = service_time(tmp_path, Clock(60, now - timedelta(days=1)))
    assert timedelta(days=59) <= says - now < timedelta(days=59, hours=1)


def test_the_database_has_looked_over_what_came_in(running_stack: Stack, tmp_path: Path) -> None:
    assert bring_in(running_stack, tmp_path, *(rental() for _ in range(20))).returncode == 0
    assert planned_with(running_stack.engine, "imported") >= 20


@pytest.mark.rule("PNT-8")
def test_who_is_brought_in_after_the_grant_of_that_day_has_it_before_the_mails_go(
    running_stack: Stack, tmp_path: Path
) -> None:
    stack = running_stack
    stack.active_contract()
    day = stack.at(1, time="05:00:00").date()
    name, email = uuid4().hex[:12], f"{uuid4().hex}@example.jp"
    club = {"two_year_discount": "true", "member_since": "2024-04-20", "member_email": email}
    own = {"source_id": name, "customer_id": f"CAF{uuid4().int % 10**10:010}", "login_id": f"old-{name}"}
    row = LINE | club | own | {"payment_method": "account_transfer", "password": "secret-1"}
    assert bring_in(stack, tmp_path, row).returncode == 0

    stack.at(15, time="09:00:01")

    assert [lot["granted_on"] for lot in of(stack, row).read("/points")["lots"]] == [f"{day}"]
    assert len(stack.outbox(to=email, kind="points_balance")) == 1


@pytest.mark.rule("BIL-8")
def test_who_is_counted_here_for_longer_than_anybody_before_has_those_months_closed_too(
    tmp_path: Path,
) -> None:
    with stack(tmp_path / "data", "") as fresh:
        first = fresh.at(3).date().replace(day=1)
        fresh.active_contract()
        fresh.at(4)
        row, before = rental(payment_method="np_invoice", payment_reference=""), first - timedelta(days=10)
        assert bring_in(fresh, tmp_path, row, on=before.isoformat()).returncode == 0

        fresh.at(25, time="06:00:01")

        paid = {one["period"]: one["paid_on"] for one in of(fresh, row).items("/statements")}
        assert paid == {f"{before:%Y-%m}": f"{first.replace(day=25)}"}

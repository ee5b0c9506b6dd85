"""Files of contracts go into the store: all that is good, once, whatever happens on the way."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from credentials import hash_password, password_matches
from embedded.plan import clock_saying
from importing.reading import Unreadable
from importing.run import Report, bring_in
from rules import importing as rules
from rules import policy
from rules.calendar import midnight
from settings import PREFIX
from store import contracts, importing, points_grant, policies, runs
from store.ledger import FeeRow, MemberRow, PayingRow, PointRow
from store.tables import (
    AccountRow,
    ContractRow,
    EntryRow,
    LineAccessRow,
    PartyRow,
    PaymentRow,
    ProcedureRow,
    TransitionRow,
)
from store.write import table
from tests.rules.cases import at
from tests.rules.test_importing import LINE, RENTAL
from tests.store.bills import billed, close, lines
from tests.store.dying_import import CHUNK, KEPT
from tests.store.lives import written
from tests.workflows.life import in_force

ON = date(2026, 11, 22)
ROOT = Path(__file__).parents[2]
ALL = (
    *(AccountRow, PartyRow, ContractRow, PaymentRow, ProcedureRow, EntryRow, FeeRow, PayingRow),
    *(LineAccessRow, MemberRow, PointRow, TransitionRow),
)
# What differs from one run to the next: when it was, and what must not be guessed.
OWN = {"recorded_at", "created_at", "billing_number", "entry_id"}
MEMBER = {
    "member_since": "2024-04-20",
    "member_email": "jiro@example.jp",
    "points": "2026-04-01:200;2026-11-01:300",
}
COLUMNS = list(
    dict.fromkeys(
        [*RENTAL, *LINE, *MEMBER, "two_year_discount", "in_force_to", "login_id", "password", "account"]
    )
)


def file(folder: Path, *rows: dict[str, str], encoding: str = "utf-8", name: str = "base.csv") -> Path:
    path = folder / name
    with path.open("w", encoding=encoding, newline="") as opened:
        writer = csv.DictWriter(opened, COLUMNS, restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path


def bring(engine: Engine, path: Path, encoding: str | None = None) -> tuple[int, int, int]:
    """How many were brought in, were there already, were rejected."""
    policies.agree(engine, policy.current())
    report, _ = bring_in(engine, path, encoding, ON, datetime.now(at("2026-11-22 10:00:00").tzinfo))
    return told(report)


def told(report: Report) -> tuple[int, int, int]:
    return report.brought, report.there, report.rejected


def rejected(path: Path) -> list[tuple[int, str]]:
    with path.with_name(f"{path.name}.rejected.csv").open(encoding="utf-8-sig") as opened:
        return [(int(row["rejected_line"]), row["rejected_because"]) for row in csv.DictReader(opened)]


def rows(engine: Engine, row: Any) -> list[dict[str, Any]]:
    named = [column for column in table(row).columns if column.name not in OWN]
    with engine.begin() as connection:
        found = [dict(one) for one in connection.execute(select(*named)).mappings()]
    return sorted(found, key=lambda one: sorted((name, str(value)) for name, value in one.items()))


def everything(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {row.__tablename__: rows(engine, row) for row in ALL}


def count(engine: Engine) -> int:
    with engine.begin() as connection:
        return int(connection.execute(select(func.count()).select_from(table(ContractRow))).scalar_one())


def many(number: int) -> list[dict[str, str]]:
    """Lines and rentals in turn; members among them, and such as are ending."""
    return [
        LINE
        | MEMBER
        | {
            "source_id": f"L-{n}",
            "customer_id": f"CAF{n:010}",
            "in_force_to": "2026-12-31" if n % 10 == 0 else "",
        }
        if n % 2
        else RENTAL | {"source_id": f"R-{n}", "payment_reference": f"card_{n}"}
        for n in range(number)
    ]


def test_what_the_document_shows_goes_in(engine: Engine, tmp_path: Path) -> None:
    text = (ROOT / "docs/importing.md").read_text("utf-8")
    (example,) = re.findall(r"^```csv\n(.*?)^```", text, re.M | re.S)
    path = tmp_path / "example.csv"
    path.write_text(example, "utf-8")
    assert bring(engine, path) == (3, 0, 0)
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?`) \|", text, re.M))))
    assert set(rules.COLUMNS) <= named


def test_a_line_stands_in_the_store_as_if_it_had_been_applied_for_here(
    engine: Engine, tmp_path: Path
) -> None:
    bring(engine, file(tmp_path, LINE | MEMBER))
    (contract,) = rows(engine, ContractRow)
    assert (contract["state"], contract["in_force_from"], contract["counted_from"]) == (
        "active",
        date(2024, 4, 1),
        ON,
    )
    with engine.begin() as connection:
        snapshot = contracts.snapshot(connection, contract["contract_id"])
    assert (snapshot.line_type, snapshot.number, snapshot.payment_id) == ("next", 1, contract["payment_id"])
    assert snapshot.member_since == at("2024-04-20 00:00:00"), "nobody joins twice"
    (fee,), (paying,), (member,) = rows(engine, FeeRow), rows(engine, PayingRow), rows(engine, MemberRow)
    assert (fee["item"], fee["amount"], fee["first_day"], fee["last_day"]) == (
        "next",
        5200,
        date(2024, 4, 1),
        None,
    )
    assert (paying["method"], paying["from_at"]) == ("invoice", at("2024-03-10 00:00:00"))
    assert (member["joined_at"], member["counted_from"]) == (
        at("2024-04-20 00:00:00"),
        at("2026-11-22 00:00:00"),
    )
    assert [(lot["granted_on"], lot["points"], lot["lapses_on"]) for lot in rows(engine, PointRow)] == [
        (date(2026, 4, 1), 200, date(2029, 3, 31)),
        (date(2026, 11, 1), 300, date(2029, 3, 31)),
    ]
    (entry,), (party,) = rows(engine, EntryRow), rows(engine, PartyRow)
    assert (entry["what"], entry["by"], entry["at"]) == ("imported", "import", at("2026-11-22 00:00:00"))
    assert (party["name"], party["language"], party["bill_mail"]) == ("山田 花子", "ja", True)


def test_one_that_is_ending_has_its_procedure_and_its_last_fee(engine: Engine, tmp_path: Path) -> None:
    ending = {"in_force_to": "2026-12-31", "support_option": "support"}
    path = tmp_path / "base.csv"
    row = RENTAL | ending
    path.write_text(f"{','.join(row)}\n{','.join(row.values())}\n")
    bring(engine, path)
    (procedure,), (contract,) = rows(engine, ProcedureRow), rows(engine, ContractRow)
    assert (procedure["kind"], procedure["state"]) == ("cancellation", "accepted")
    assert procedure["due_at"] == contract["due_at"] == at("2027-01-01 00:00:00")
    assert {(fee["part"], fee["last_day"]) for fee in rows(engine, FeeRow)} == {
        ("base", None),
        ("option", date(2026, 12, 31)),
    }
    assert {entry["what"] for entry in rows(engine, EntryRow)} == {"imported", "cancellation_imported"}
    with engine.begin() as connection:
        assert [c.contract_id for c in importing.with_deadline(connection, "", 10)] == [
            contract["contract_id"]
        ]


def test_once_more_it_adds_nothing(engine: Engine, tmp_path: Path) -> None:
    path = file(tmp_path, *many(40))
    assert bring(engine, path) == (40, 0, 0)
    before = everything(engine)
    assert bring(engine, path) == (0, 40, 0)
    assert everything(engine) == before


def test_the_bad_rows_are_told_with_their_lines_and_the_rest_goes_in(
    engine: Engine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = many(20)
    bad = [
        RENTAL | {"source_id": "bad-1", "phone": "not one"},
        LINE | {"source_id": "bad-2", "customer_id": "CAF0000000003"},
        RENTAL | {"source_id": "R-2"},
    ]
    path = file(tmp_path, *good[:10], *bad[:2], *good[10:], bad[2])
    with path.open("a") as more:
        more.write('"a quotation mark too many,rental\nR-9,too,few\n')
    assert bring(engine, path) == (20, 0, 5)
    assert rejected(path) == [
        (12, "phone: not written as it has to be"),
        (24, "source_id: stands on line 4, too"),
        (25, "unexpected end of data"),
        (26, f"3 columns; the first line names {len(COLUMNS)}"),
        (13, "customer_id: belongs to another contract already"),
    ]
    assert "line 12: phone" in capsys.readouterr().err
    assert path.with_name("base.csv.rejected.csv").stat().st_mode & 0o077 == 0


def test_what_was_rejected_can_be_mended_and_brought_in(engine: Engine, tmp_path: Path) -> None:
    path = file(tmp_path, *many(4), RENTAL | {"source_id": "bad-1", "phone": "not one"})
    bring(engine, path)
    again = path.with_name("base.csv.rejected.csv")
    again.write_text(again.read_text("utf-8-sig").replace("not one", "0312345678"), "utf-8")
    assert bring(engine, again) == (1, 0, 0)
    assert not again.with_name(f"{again.name}.rejected.csv").exists()


def test_a_name_that_stands_far_apart_twice_is_told(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 4)
    path = file(tmp_path, *many(6), RENTAL | {"source_id": "R-0"})
    assert bring(engine, path) == (6, 0, 1)
    assert rejected(path) == [(8, "source_id: stands on an earlier line, too")]


@pytest.mark.parametrize(
    ("encoding", "forced"),
    [("utf-8", None), ("utf-8-sig", None), ("cp932", None), ("cp932", "cp932"), ("utf-8-sig", "utf-8")],
)
def test_japanese_comes_in_as_it_was_meant(
    engine: Engine, tmp_path: Path, encoding: str, forced: str | None
) -> None:
    wide = RENTAL | {"name": "髙橋 ～①", "address": "表示ソ十貼"}
    assert bring(engine, file(tmp_path, wide, encoding=encoding), forced) == (1, 0, 0)
    (party,) = rows(engine, PartyRow)
    assert (party["name"], party["address"]) == ("髙橋 ～①", "表示ソ十貼")


def test_what_is_in_neither_encoding_is_told_and_spoils_no_other(engine: Engine, tmp_path: Path) -> None:
    path = file(tmp_path, RENTAL | {"name": "@"}, *many(2), encoding="cp932")
    path.write_bytes(path.read_bytes().replace(b"@,", b"\x81\x00\xff,", 1))
    assert bring(engine, path) == (2, 0, 1)
    assert rejected(path)[0][0] == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "missing: "),
        ("source_id,product,colour\n", "unknown: colour"),
        (f"{','.join(RENTAL)},name\n", "there twice: name"),
    ],
)
def test_a_file_of_something_else_is_refused(engine: Engine, tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "base.csv"
    path.write_text(text)
    with pytest.raises(Unreadable, match=re.escape(said)):
        bring(engine, path)


def test_a_password_is_hashed_and_a_hash_is_taken_as_it_is(engine: Engine, tmp_path: Path) -> None:
    made = hash_password("secret-2")
    clear, hashed = {"login_id": "hanako", "password": "secret-1"}, {"login_id": "jiro", "password": made}
    path = file(tmp_path, RENTAL | clear, RENTAL | hashed | {"source_id": "R-2"})
    assert bring(engine, path) == (2, 0, 0)
    stored = {row["login_id"]: row["password_hash"] for row in rows(engine, AccountRow)}
    assert password_matches(stored["hanako"], "secret-1") and stored["jiro"] == made
    assert "secret-1" not in stored["hanako"]


def test_a_password_is_taken_as_it_stands_and_nothing_else_keeps_the_blanks_at_its_ends(
    engine: Engine, tmp_path: Path
) -> None:
    row = {name: f" {value} " for name, value in RENTAL.items()}
    path = file(tmp_path, row | {"login_id": " hanako ", "password": " sakura 1 "})
    assert bring(engine, path) == (1, 0, 0)
    (account,) = rows(engine, AccountRow)
    assert account["login_id"] == "hanako"
    assert password_matches(account["password_hash"], " sakura 1 ")
    assert not password_matches(account["password_hash"], "sakura 1")


def test_contracts_of_one_customer_share_the_sign_in(engine: Engine, tmp_path: Path) -> None:
    login = {"account": "C-1", "login_id": "hanako", "password": "secret-1"}
    path = file(tmp_path, LINE | {"account": "C-1"}, RENTAL | login)
    assert bring(engine, path) == (2, 0, 0)
    (account,) = rows(engine, AccountRow)
    assert account["login_id"] == "hanako"
    assert {row["account_id"] for row in rows(engine, ContractRow)} == {account["account_id"]}


@pytest.mark.parametrize("at_once", [1, 5])
def test_of_several_sign_ins_of_one_customer_the_first_counts_however_the_file_is_cut(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", at_once)
    theirs = LINE | {"account": "C-1", "password": "secret-1"}
    names = {"L-1": "hanako", "L-2": "jiro"}
    each = [
        theirs | {"source_id": name, "customer_id": f"CAF000000000{name[-1]}", "login_id": login}
        for name, login in names.items()
    ]
    bring(engine, file(tmp_path, *each))
    assert [account["login_id"] for account in rows(engine, AccountRow)] == ["hanako"]


@pytest.mark.rule("BIL-8")
def test_months_before_the_day_of_the_import_are_not_billed_here(engine: Engine, tmp_path: Path) -> None:
    written(engine, in_force("2026-10-05 09:00:00"))
    bring(engine, file(tmp_path, LINE))
    (imported,) = (row["contract_id"] for row in rows(engine, ContractRow) if row["contract_id"] != "k-1")
    assert close(engine, "2026-10", "2026-11") == [1, 2]
    assert billed(engine, imported) == ["2026-11"]
    assert lines(engine, "2026-11", imported) == [("monthly_fee", "next", "2026-11-01", 5200)]


@pytest.mark.rule("PNT-2")
def test_points_are_granted_from_the_day_of_the_import_on(engine: Engine, tmp_path: Path) -> None:
    bring(engine, file(tmp_path, LINE | MEMBER | {"two_year_discount": "true"}))
    brought = [(date(2026, 4, 1), 200), (date(2026, 11, 1), 300)]
    for month, new in (("2026-10", []), ("2026-11", [(date(2026, 12, 1), 300)])):
        with engine.begin() as connection:
            points_grant.chunk(connection, month, "", "~", policy.current())
        assert sorted((lot["granted_on"], lot["points"]) for lot in rows(engine, PointRow)) == brought + new


def test_runs_are_due_from_the_day_of_the_import_on_however_old_the_contracts_are(
    engine: Engine, tmp_path: Path
) -> None:
    bring(engine, file(tmp_path, RENTAL | {"applied_on": "2015-01-01"}))
    with engine.begin() as connection:
        assert runs.calendar_began(connection) == at("2026-11-22 00:00:00")
    written(engine, in_force())
    with engine.begin() as connection:
        assert runs.calendar_began(connection) == at("2026-03-20 10:00:00")


@pytest.mark.timeout(400)
def test_killed_halfway_and_run_again_it_is_as_if_run_once(engine: Engine, tmp_path: Path) -> None:
    rows_there = many(10 * CHUNK)
    path = file(tmp_path, *rows_there)
    given = {
        "KEIYAKU_DATABASE_URL": engine.url.render_as_string(hide_password=False),
        "KEIYAKU_DATA_DIR": str(tmp_path),
        "KEIYAKU_TEMPORAL_ADDRESS": "127.0.0.1:1",
        # Whatever this machine says, that day is not one to come.
        "KEIYAKU_PRODUCTION": "false",
        **{PREFIX + name.upper(): value for name, value in clock_saying(midnight(ON), 2).items()},
    }
    command = [sys.executable, "-m", "tests.store.dying_import", str(path), "--on", str(ON)]
    died = subprocess.run(command, cwd=ROOT, env=os.environ | given, timeout=300, check=False)
    assert (died.returncode, count(engine)) == (-signal.SIGKILL, KEPT * CHUNK)

    assert bring(engine, path) == (len(rows_there) - KEPT * CHUNK, KEPT * CHUNK, 0)
    once = everything(engine)
    assert len(once["timeline"]) == len(rows_there) + len(once["procedure"])
    assert [len(once[name]) for name in ("contract", "account", "party", "fee", "transition")] == [
        len(rows_there)
    ] * 5
    assert len(once["point"]) == 2 * len(once["member"]) == len(rows_there)

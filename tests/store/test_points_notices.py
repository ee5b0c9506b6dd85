"""What members are told of their points: as of the day it is due, however late the run is."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from outside import texts
from store.database import connect
from store.points_notices import MAIL, WARNING, PointsNotice
from store.tables import DeliveryRow
from store.write import table
from tests.rules.cases import POLICY
from tests.store.club import EVERYBODY, Club, within
from tests.store.test_lookups import asked


@pytest.fixture
def club(engine: Engine) -> Club:
    return Club(engine)


def run(club: Club, job: PointsNotice, period: str) -> int:
    return within(club.engine, lambda c: job.chunk(c, period, *EVERYBODY, POLICY))


def told(club: Club) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Each mail: for whom, of what kind, dated when, saying what."""
    rows = table(DeliveryRow)
    found = within(
        club.engine, lambda c: c.execute(select(rows).order_by(rows.c.delivery_id)).mappings().all()
    )
    return [(row["contract_id"], row["kind"], f"{row['at']:%Y-%m-%d %H:%M}", row["data"]) for row in found]


def balance(number: int, lapsing: int, last_day: str) -> dict[str, Any]:
    return {"balance": number, "lapsing_this_fiscal_year": lapsing, "lapses_on": last_day}


@pytest.mark.rule("PNT-8")
def test_every_member_is_told_on_the_15th_what_they_have_and_what_lapses_this_fiscal_year(club: Club) -> None:
    club.member("k-1", "2026-02-10 12:00:00", in_force_from=date(2026, 2, 1))
    club.member("k-2", "2028-02-15 08:59:59")
    club.member("k-3", "2028-02-15 09:00:01")
    club.line("k-4")
    for period in ("2026-02", "2026-03"):
        club.grant(period)
    assert run(club, MAIL, "2028-01") == 2
    assert told(club) == [
        ("k-1", "points_balance", "2028-02-15 09:00", balance(200, 100, "2028-03-31")),
        ("k-2", "points_balance", "2028-02-15 09:00", balance(0, 0, "2028-03-31")),
    ]


@pytest.mark.rule("PNT-8")
def test_a_late_mail_says_what_one_in_time_would_have_said(club: Club) -> None:
    for name in ("k-1", "k-2"):
        club.member(name)
        club.grant("2026-04")
    club.exchange("k-1", 30, "2026-06-15 08:59:59")
    club.exchange("k-1", 20, "2026-06-15 09:00:01")
    club.grant("2026-06")
    club.ends("k-2", "2026-06-20 12:00:00")
    run(club, MAIL, "2026-05")
    assert [(name, data["balance"]) for name, *_, data in told(club)] == [("k-1", 170), ("k-2", 200)]


@pytest.mark.rule("PNT-8")
def test_after_its_end_nobody_is_told_anything(club: Club) -> None:
    club.member()
    club.ends("k-1", "2026-06-15 08:00:00")
    assert run(club, MAIL, "2026-05") == 0


@pytest.mark.rule("PNT-8")
@pytest.mark.parametrize("period", ["2027-12", "2028-01", "2028-02"])
def test_who_has_points_about_to_lapse_is_warned_in_january_february_and_march(
    club: Club, period: str
) -> None:
    club.member("k-1", "2026-02-10 12:00:00", in_force_from=date(2026, 2, 1))
    club.member("k-2", "2026-04-10 12:00:00")
    club.member("k-3", "2026-02-10 12:00:00", in_force_from=date(2026, 2, 1))
    for month in ("2026-02", "2026-04"):
        club.grant(month)
    club.exchange("k-3", 100, "2026-05-10 12:00:00")
    assert run(club, WARNING, period) == 1
    name, kind, when, data = told(club)[0]
    assert (name, kind, when[8:]) == ("k-1", "points_warning", "10 09:00")
    assert (data["lapsing_this_fiscal_year"], data["lapses_on"]) == (100, "2028-03-31")


@pytest.mark.rule("PNT-8")
@pytest.mark.rule("PNT-10")
@pytest.mark.parametrize("job", [MAIL, WARNING], ids=lambda job: job.job)
def test_a_run_writes_each_mail_once_and_proves_that_none_is_missing(club: Club, job: PointsNotice) -> None:
    for name in ("k-1", "k-2"):
        club.member(name, "2026-02-10 12:00:00", in_force_from=date(2026, 2, 1))
    club.grant("2026-02")

    def judged() -> tuple[int, list[str]]:
        return within(
            club.engine,
            lambda c: (job.expected(c, "2028-01", POLICY), job.left(c, "2028-01", POLICY, 10)),
        )

    assert judged() == (2, ["k-1", "k-2"])
    assert within(club.engine, lambda c: job.chunk(c, "2028-01", "", "k-1", POLICY)) == 1
    assert judged() == (2, ["k-2"])
    assert within(club.engine, lambda c: job.chunk(c, "2028-01", "k-1", "z", POLICY)) == 1
    once = told(club)
    assert (run(club, job, "2028-01"), told(club)) == (2, once)
    assert judged() == (2, [])


@pytest.mark.parametrize("job", [MAIL, WARNING], ids=lambda job: job.job)
def test_sqlite_looks_for_the_points_of_one_member_at_a_time_and_not_for_those_of_the_whole_chunk(
    template: Path, job: PointsNotice
) -> None:
    with connect(f"sqlite:///{template}").connect() as connection, asked(connection) as statements:
        job.chunk(connection, "2028-01", *EVERYBODY, POLICY)
        ((statement, given),) = (one for one in statements if one[0].startswith("INSERT"))
        plan = connection.exec_driver_sql(f"explain query plan {statement}", given)
        (looks,) = (step.detail for step in plan if "SEARCH point" in step.detail)
    assert "(lapses_on=? AND contract_id=?)" in looks


@pytest.mark.parametrize("job", [MAIL, WARNING], ids=lambda job: job.job)
def test_a_mail_has_all_that_its_words_need(club: Club, job: PointsNotice) -> None:
    club.member("k-1", "2026-02-10 12:00:00", in_force_from=date(2026, 2, 1))
    club.grant("2026-02")
    run(club, job, "2028-01")
    assert set(texts.fields_of(job.kind)) <= set(told(club)[0][3])

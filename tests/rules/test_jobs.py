"""When the runs over all contracts are due, and with which period they deal (CAL-1, CAL-2)."""

from __future__ import annotations

from itertools import pairwise

import pytest

from rules import jobs, policy
from store.jobs import JOBS
from tests.rules.cases import at

FIGURES = policy.load()


@pytest.mark.rule("CAL-2")
@pytest.mark.parametrize(
    ("job", "period", "due"),
    [
        ("month-end", "2027-06", "2027-07-01 00:10:00"),
        ("month-end", "2027-12", "2028-01-01 00:10:00"),
        ("month-end", "2028-02", "2028-03-01 00:10:00"),
        ("points-grant", "2027-06", "2027-07-01 03:00:00"),
        ("points-mail", "2027-06", "2027-07-15 09:00:00"),
        ("settlement", "2027-06", "2027-07-25 06:00:00"),
        ("points-warning", "2027-12", "2028-01-10 09:00:00"),
        ("fiscal-year", "FY2026", "2027-04-01 00:20:00"),
    ],
)
def test_a_run_is_due_in_the_month_after_its_period(job: str, period: str, due: str) -> None:
    figures = FIGURES.job(job)
    assert jobs.due_at(figures, period) == at(due)
    assert jobs.period_at(job, at(due)) == period
    assert jobs.fits(figures, period)


@pytest.mark.parametrize(
    ("job", "period"),
    [
        ("month-end", "FY2026"),
        ("month-end", "2027-13"),
        ("month-end", "2027-6"),
        ("month-end", "٢٠٢٧-06"),
        ("month-end", ""),
        ("fiscal-year", "2027-03"),
        ("fiscal-year", "FY27"),
        ("fiscal-year", "FY9999"),
        ("fiscal-year", "FY２０２５"),
        ("month-end", "9999-12"),
        ("month-end", "2200-01"),
        ("month-end", "1899-12"),
        ("month-end", "0001-01"),
        ("points-warning", "2027-06"),
    ],
)
def test_what_is_no_period_of_a_job(job: str, period: str) -> None:
    assert not jobs.fits(FIGURES.job(job), period)


@pytest.mark.rule("CAL-1")
def test_a_run_is_owed_from_its_second_on_and_once() -> None:
    just_before, due = at("2027-07-01 00:09:59"), at("2027-07-01 00:10:00")
    assert jobs.due_between(just_before, just_before, FIGURES) == []
    assert [d.job for d in jobs.due_between(just_before, due, FIGURES)] == ["month-end"]
    assert jobs.due_between(due, due, FIGURES) == []
    assert jobs.next_due(FIGURES.job("month-end"), just_before).at == due
    assert jobs.next_due(FIGURES.job("month-end"), due).period == "2027-07"


@pytest.mark.parametrize(
    ("job", "now", "due", "period"),
    [
        ("settlement", "2027-07-25 05:59:59", "2027-06-25 06:00:00", "2027-05"),
        ("settlement", "2027-07-25 06:00:00", "2027-07-25 06:00:00", "2027-06"),
        ("points-warning", "2027-12-31 12:00:00", "2027-03-10 09:00:00", "2027-02"),
        ("fiscal-year", "2027-04-01 00:19:59", "2026-04-01 00:20:00", "FY2025"),
    ],
)
def test_the_run_that_was_due_last(job: str, now: str, due: str, period: str) -> None:
    assert jobs.last_due(FIGURES.job(job), at(now)) == jobs.Due(at(due), job, period)


def test_a_year_owes_every_run_in_the_order_of_the_dates() -> None:
    found = jobs.due_between(at("2027-01-01 00:00:00"), at("2028-01-01 00:00:00"), FIGURES)
    assert len(found) == 12 * 4 + 3 + 1
    assert all(first.at <= second.at for first, second in pairwise(found))
    april = [due.job for due in found if due.at.month == 4]
    assert april == ["month-end", "fiscal-year", "points-grant", "points-mail", "settlement"]


def test_there_is_something_to_do_for_each_run_that_a_policy_names() -> None:
    assert set(JOBS) == jobs.NAMES

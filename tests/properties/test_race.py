"""Many purchases at once for the last yen under a cap: exactly those that fit are taken (MAT-4)."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from store.database import connect
from store.migrate import upgrade
from store.tables import PurchaseRow
from store.write import table
from tests.database import DATABASES, Postgres
from tests.properties.agreement import BEGINS
from tests.properties.lived import Lived

CAP, AMOUNT, CALLS = 5000, 300, 60


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    url = f"sqlite:///{tmp_path}/keiyaku.db"
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres_server")
        url = server.new_database()
    upgrade(url)
    made = connect(url, pool_size=16)
    yield made
    made.dispose()


@pytest.mark.rule("MAT-4")
def test_of_many_purchases_at_once_exactly_those_are_taken_that_fit(engine: Engine) -> None:
    line = Lived(engine, 1, BEGINS, CAP)
    line.adds("i-1", "hanako", None, BEGINS)
    line.adds("i-2", "tarou", 4 * AMOUNT, BEGINS)

    def buy(number: int) -> tuple[str, str | None]:
        passport_id = f"i-{number % 2 + 1}"
        values = {"purchase_id": f"u-{number}", "kind": "one_off", "amount": AMOUNT, "cancellation_fee": 0}
        passport = {"contract_id": line.name, "passport_id": passport_id}
        return passport_id, line.buys(passport, values, True, BEGINS)

    with ThreadPoolExecutor(16) as callers:
        answers = list(callers.map(buy, range(CALLS)))

    rows = table(PurchaseRow)
    counted = select(rows.c.passport_id, func.count(), func.sum(rows.c.amount)).group_by(rows.c.passport_id)
    with engine.begin() as connection:
        bought = {row[0]: (row[1], row[2]) for row in connection.execute(counted)}
    assert (
        sum(count for count, _ in bought.values())
        == CAP // AMOUNT
        == answers.count(("i-1", None)) + (answers.count(("i-2", None)))
    )
    assert sum(spent for _, spent in bought.values()) <= CAP and bought["i-2"][1] <= 4 * AMOUNT
    assert {no for _, no in answers} == {None, "MAT-4"}

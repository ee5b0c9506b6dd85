"""Every figure in one checked file: a wrong value stops the start, with its line."""

from pathlib import Path

import pytest

from rules import policy
from rules.policy import PolicyError

TEXT = policy.DEFAULT.read_text("utf-8")


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(text, encoding="utf-8")
    return path


def line_of(text: str, wanted: str) -> int:
    return text.splitlines().index(wanted) + 1


@pytest.mark.parametrize("content", [None, b"\xff"], ids=["that is not there", "that is no text"])
def test_a_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "policy.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PolicyError, match=str(path)):
        policy.load(path)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("device = 20000 ", "device = -1 ", "fees.device"),
        ("plan_change = 1500 ", 'plan_change = "1500" ', "fees.plan_change"),
        ("plan_change = 1500 ", "plan_change = 1500.5 ", "fees.plan_change"),
        ("settlement_day = 25 ", "settlement_day = 29 ", "windows.settlement_day"),
        ("plan_change_until = 15 ", "plan_change_until = 0 ", "windows.plan_change_until"),
        ("plan_change_until = 15 ", "plan_change_untill = 15 ", "windows.plan_change_untill"),
        ("due_after_days = 10 ", "due_after_days = true ", "device_return.due_after_days"),
        ("put_off_days = 4 ", "put_off_days = 0 ", "runs.put_off_days"),
        ("monthly_fee = 4800", "monthly_fee = 4_800_000_000", "plans.2.monthly_fee"),
        ("monthly_fee = 600", 'monthly_fee = "600"', "support_options.3.monthly_fee"),
        ("legacy_applied_until = 2019-10-31", "legacy_applied_until = 2019", "card.legacy_applied_until"),
    ],
)
def test_a_wrong_value_is_named_with_its_line(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert TEXT.count(old) == 1
    text = TEXT.replace(old, new)
    path = written(tmp_path, text)
    changed = next(line for line in text.splitlines() if line.startswith(new.strip()) or new in line)
    with pytest.raises(PolicyError) as fault:
        policy.load(path)
    if new.startswith("plan_change_untill"):  # the missing key comes first, named at its table
        assert str(fault.value).startswith(
            f"{path}, line {line_of(text, changed) - 1}: windows.plan_change_until"
        )
    else:
        assert str(fault.value).startswith(f"{path}, line {line_of(text, changed)}: {where}: ")


@pytest.mark.parametrize(
    ("table", "old", "new"),
    [
        ("conversion", "closes = 22:00:00", "closes = 08:30:00"),
        ("access_key", "closes = 17:00:00", "closes = 08:59:59"),
        # From the 29th of December to the 30th of the next: on every day of the year.
        ("year_end", "last_month = 1\nlast_day = 3\n", "last_month = 12\nlast_day = 30\n"),
    ],
)
def test_hours_that_would_never_be_open_stop_the_start(
    tmp_path: Path, table: str, old: str, new: str
) -> None:
    assert TEXT.count(old) == 1
    text = TEXT.replace(old, new)
    head = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith(f"[{table}]"))
    with pytest.raises(PolicyError, match=rf"line {head}: {table}: "):
        policy.load(written(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('job = "month-end" ', 'job = "month-ends" ', "jobs: .*: month-end, month-ends$"),
        ('job = "points-mail" ', 'job = "points-grant" ', "a code stands twice: .*points-grant"),
        (
            '[[point_grants]]\nline_type = "light"',
            '[[point_grants]]\nline_type = "next"',
            "a code stands twice: .*next",
        ),
        ('item = "gift-coffee"', 'item = "gift-towel"', "a code stands twice: gift-towel"),
    ],
)
def test_each_run_is_there_and_each_code_once(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert TEXT.count(old) == 1
    with pytest.raises(PolicyError, match=fault):
        policy.load(written(tmp_path, TEXT.replace(old, new)))


def test_a_stored_policy_may_say_a_code_twice_or_lack_a_run_that_came_later() -> None:
    stored = policy.load().model_dump(mode="json")
    stored |= {"jobs": stored["jobs"][1:], "point_items": stored["point_items"] * 2}
    assert policy.remembered(stored).jobs == policy.load().jobs[1:]


def test_a_missing_value_is_named_at_its_table(tmp_path: Path) -> None:
    text = "".join(line for line in TEXT.splitlines(keepends=True) if not line.startswith("device = "))
    head = next(number for number, line in enumerate(text.splitlines(), 1) if line.startswith("[fees]"))
    with pytest.raises(PolicyError, match=rf"line {head}: fees\.device: "):
        policy.load(written(tmp_path, text))


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="windows"):
        policy.load(written(tmp_path, TEXT.replace("[windows]", "[doors]")))


def test_a_file_that_is_no_toml_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="line 3"):
        policy.load(written(tmp_path, "[windows]\na = 1\nb = = 2\n"))


@pytest.mark.rule("RNT-2")
def test_the_courses_are_those_of_the_page() -> None:
    known = policy.load()
    assert {course.course for course in known.courses} == {"standard", "omatome", "depocomi"}
    assert (known.course("standard").months, known.course("standard").deposit) == (0, 0)
    assert known.course("omatome").months > 1
    assert known.course("depocomi").deposit > 0
    assert known.course("depocomi").months == 12


@pytest.mark.rule("RNT-11")
def test_the_support_options_are_those_of_the_page() -> None:
    known = {o.option: (o.premium, o.for_sim) for o in policy.load().support_options}
    assert known == {
        "support": (False, False),
        "support_premium": (True, False),
        "support_sim": (False, True),
        "support_premium_sim": (True, True),
    }


@pytest.mark.rule("RNT-5")
def test_a_plan_change_costs_1500_yen_before_tax() -> None:
    assert policy.load().fees.plan_change == 1500


def test_the_same_figures_have_the_same_name_and_others_another(tmp_path: Path) -> None:
    same = policy.load(written(tmp_path, f"# a remark\n{TEXT}"))
    assert policy.digest(same) == policy.digest(policy.load())
    (tmp_path / "other").mkdir()
    other = policy.load(written(tmp_path / "other", TEXT.replace("plan_change = 1500", "plan_change = 1600")))
    assert policy.digest(other) != policy.digest(policy.load())


def test_a_policy_nobody_told_this_process_of_is_an_error_of_its_own() -> None:
    with pytest.raises(policy.UnknownPolicy):
        policy.of("no such digest")


def test_a_policy_of_an_earlier_release_keeps_its_figures_and_takes_new_ones_from_the_present() -> None:
    stored = policy.load().model_dump(mode="json")
    stored["fees"] = {"plan_change": 1200}
    stored["gone_since"] = {"figure": 1}
    del stored["support"]
    before = policy.remembered(stored)
    assert (before.fees.plan_change, before.fees.device) == (1200, policy.current().fees.device)
    assert before.support == policy.current().support
    assert before.plans == policy.load().plans


def test_a_stored_policy_is_found_under_the_name_that_contracts_remember() -> None:
    body = policy.load().model_dump(mode="json") | {"fees": {"plan_change": 1200, "device": 1, "new": 2}}
    policy.know(policy.remembered(body), "a digest of another release")
    assert policy.of("a digest of another release").fees.plan_change == 1200

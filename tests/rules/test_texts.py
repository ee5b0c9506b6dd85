"""Everything that the service may say has its words in both languages, and nothing has words in vain."""

import ast
from datetime import date, time
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest

from api.shown_bills import StatementLine
from machines import step
from machines.contract import ContractMachine
from rules import beside, policy, tasks, texts, waiting
from rules.calendar import midnight
from rules.effects import Effect, What
from rules.facts import WaitingOn
from rules.refusal import Refusal
from rules.texts import LANGUAGES, Language
from workflows.step import MACHINES

ROOT = Path(__file__).parents[2]
DATA: dict[str, Any] = {
    "state": "ended",
    "pending": "plan_change",
    "method": "atone",
    "legacy_page": "https://example.jp/",
    "opens_at": midnight(date(2026, 7, 1)),
    "amount": 20000,
    "kind": "return_reminder",
    "cap": 50000,
    "month": "2026-06-01",
    "provider": "Eiga",
    "last_day": "2026-06-30",
    "most": 5000,
    "held": 100,
    "left": 900,
    "points": 100,
}
# Said by the API.
FROM_THE_API = {
    "data_changed",
    "notices_changed",
    "points_for_bill_payment",
    "points_for_item",
    "authentication_key_registered",
    "login_unlocked",
}
FROM_THE_STORE = {"purchases_disclosed", "points_forfeited", "imported", "cancellation_imported"}
FROM_THE_STORE |= {f"passport_id_{what}" for what in ("added", "changed", "deleted")}
in_both = pytest.mark.parametrize("language", LANGUAGES)


def calls(*packages: str) -> list[ast.Call]:
    files = [file for package in packages for file in sorted((ROOT / package).glob("*.py"))]
    trees = [ast.walk(ast.parse(file.read_text("utf-8"))) for file in files]
    return [node for tree in trees for node in tree if isinstance(node, ast.Call)]


def literals(node: ast.expr) -> list[str]:
    """What the expression may be, as far as it is written out."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    return []


def reasons() -> set[str]:
    given = [
        k.value for call in calls("rules", "workflows", "api") for k in call.keywords if k.arg == "reason"
    ]
    pending = {
        f"beside_{kind}"
        for table in beside.VERDICTS.values()
        for (_, kind), no in table.items()
        if no != "ok"
    }
    return {reason for node in given for reason in literals(node)} | pending


def whats() -> set[str]:
    """Every `what` of a timeline: written out in the workflows, or made of a kind or the contract and a state."""
    noted = [
        c.args[0] for c in calls("workflows") if isinstance(c.func, ast.Attribute) and c.func.attr == "note"
    ]
    noted += [k.value for call in calls("workflows") for k in call.keywords if k.arg == "what"]
    moved = {f"{kind}_{state}" for kind, machine in MACHINES.items() for state in step.states(machine)[1:]}
    contract = {f"contract_{state}" for state in step.states(ContractMachine)[1:]}
    begun = {f"{kind}_accepted" for kind in MACHINES}
    # What the gateway says about the card of an application; of other methods nobody is asked.
    gateway = set(step.events(MACHINES["payment_method"])) - {"method_taken"}
    return (
        {what for node in noted for what in literals(node)}
        | moved
        | contract
        | begun
        | gateway
        | FROM_THE_API
        | FROM_THE_STORE
    )


def readable(text: str, language: Language) -> bool:
    japanese = any("ぁ" <= letter <= "ヿ" or "一" <= letter <= "龥" for letter in text)
    return bool(text) and "{" not in text and "None" not in text and japanese == (language == "ja")


@in_both
def test_every_reason_for_a_refusal_has_its_words(language: Language) -> None:
    assert len(reasons()) > 10
    for reason in reasons():
        assert readable(texts.detail(reason, language, **DATA), language), reason


def test_no_reason_has_words_in_vain() -> None:
    assert texts.texts("reason") <= reasons()


@in_both
@pytest.mark.parametrize("what", get_args(What))
def test_every_effect_has_its_sentence(what: What, language: Language) -> None:
    coded = {"fee": "plan_change", "contract_begins": "wifi-100"}
    coded |= dict.fromkeys(("option_begins", "option_ends", "cover_begins"), "support_premium")
    item = coded.get(what)
    effect = Effect(at=midnight(date(2026, 7, 1)), what=what, amount=1500, item=item, count=3)
    said = texts.effect(effect, language)
    assert readable(said.replace("Wi-Fi", "").replace("Premium", ""), language)
    assert not item or item not in said


@in_both
@pytest.mark.parametrize("what", ["passport_id_deleted", "monthly_item_ended", "provider_cancellation_fee"])
def test_what_hangs_on_a_line_is_named_as_long_as_it_has_a_name(what: What, language: Language) -> None:
    effect = Effect(what=what, amount=1000, passport_id="i-1", purchase_id="u-1")
    named = {"name": "hanako-1"} if what == "passport_id_deleted" else {"item": "Film", "provider": "Eiga"}
    said, nameless = texts.effect(effect, language, **named), texts.effect(effect, language)
    assert readable(said, language) and readable(nameless, language)
    assert all(name in said and name not in nameless for name in named.values())
    assert "i-1" not in said and "u-1" not in said


def test_no_effect_has_a_sentence_in_vain() -> None:
    assert texts.texts("effect") == set(get_args(What))


@in_both
def test_every_line_of_a_timeline_has_its_words(language: Language) -> None:
    for what in whats():
        assert readable(texts.entry(what, DATA, language), language), what


def test_no_line_of_a_timeline_has_words_in_vain() -> None:
    assert texts.texts("entry") == whats()


def test_every_code_that_a_caller_meets_has_a_name() -> None:
    machines: dict[str, step.Machine] = {**MACHINES, "contract": ContractMachine}
    states = {state for machine in machines.values() for state in step.states(machine)}
    asked = set(tasks.ACTIONS) | {action for actions in tasks.ACTIONS.values() for action in actions}
    assert states | set(machines) | asked | set(get_args(WaitingOn)) <= texts.texts("name")


def test_every_notice_has_a_name() -> None:
    sent = [
        c.args[0]
        for c in calls("workflows")
        if isinstance(c.func, ast.Attribute) and c.func.attr == "deliver"
    ]
    kinds = {kind for node in sent for kind in literals(node)} - {"register_card", "wake"}
    assert kinds and kinds <= texts.texts("name")


def test_every_machine_says_whom_each_of_its_states_waits_for() -> None:
    for kind, machine in MACHINES.items():
        known = {waiting.waiting_on(kind, state) for state in step.states(machine)}
        assert known <= set(get_args(WaitingOn))


def test_every_rule_that_refuses_has_a_title() -> None:
    given = [k.value for call in calls("rules", "workflows") for k in call.keywords if k.arg == "rule"]
    table = {verdict for cells in beside.VERDICTS.values() for verdict in cells.values()}
    named = {rule for node in given for rule in literals(node)} | table - {"ok"}
    assert {rule or "general" for rule in named} <= texts.texts("rule")


def test_a_refusal_is_put_into_words_with_its_date() -> None:
    no = Refusal(rule="RNT-3", reason="plan_change_window", opens_at=midnight(date(2026, 7, 1)))
    ja, en = texts.of(no, "ja"), texts.of(no, "en")
    assert ja.title == "プラン変更の受付期間"
    assert "15日まで" in ja.detail and "2026年7月1日 00:00以降" in ja.detail
    assert "15th" in en.detail and "1 July 2026 00:00 (Japan time)" in en.detail


def test_what_ends_with_a_month_is_told_by_its_last_day() -> None:
    ends = Effect(at=midnight(date(2026, 7, 1)), what="contract_ends")
    due = Effect(at=midnight(date(2026, 7, 11)), what="device_return_due")
    assert "2026年6月30日" in texts.effect(ends, "ja")
    assert "10 July 2026" in texts.effect(due, "en")


def test_yen_are_written_as_the_language_writes_them() -> None:
    fee = Effect(at=midnight(date(2026, 7, 1)), what="fee", item="plan_change", amount=1500)
    assert "1,500円" in texts.effect(fee, "ja")
    assert "¥1,500" in texts.effect(fee, "en")


def test_a_fee_is_named_without_its_tax_and_a_deposit_has_none() -> None:
    begins = midnight(date(2026, 7, 1))
    fee = Effect(at=begins, what="fee", item="plan_change", amount=1500)
    deposit = Effect(at=begins, what="fee", item="deposit", amount=20000)
    assert "1,500円（税抜）" in texts.effect(fee, "ja")
    assert "¥1,500 plus tax" in texts.effect(fee, "en")
    assert "税" not in texts.effect(deposit, "ja")
    assert "tax" not in texts.effect(deposit, "en")


def test_a_date_that_nobody_knows_yet_is_said_to_be_unknown() -> None:
    assert "not known yet" in texts.effect(Effect(at=None, what="contract_ends"), "en")


def test_a_plan_that_is_sold_no_more_is_named_by_its_code() -> None:
    begins = Effect(at=midnight(date(2026, 7, 1)), what="contract_begins", item="wifi-1999")
    assert "wifi-1999" in texts.effect(begins, "ja")


def test_the_day_in_a_text_is_the_day_of_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    known = policy.load()
    moved = known.model_copy(update={"windows": known.windows.model_copy(update={"settlement_day": 23})})
    monkeypatch.setattr(policy, "current", lambda: moved)
    assert "23rd" in texts.detail("card_on_settlement_day", "en", **DATA)


@pytest.mark.rule("COL-1")
@pytest.mark.rule("IDN-2")
def test_the_hours_in_a_text_are_those_of_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "8時30分から22時まで承っています（12月29日から1月3日を除く）" in texts.detail(
        "conversion_hours", "ja", **DATA
    )
    known = policy.load()
    later = known.conversion.model_copy(update={"opens": time(9), "closes": time(20, 5)})
    closed = known.year_end.model_copy(update={"first_day": 30, "last_day": 4})
    monkeypatch.setattr(
        policy, "current", lambda: known.model_copy(update={"conversion": later, "year_end": closed})
    )
    said = texts.detail("conversion_hours", "en", **DATA)
    assert "from 9:00 to 20:05, not from 30 December to 4 January" in said
    assert "from 9:00 to 17:00, not from 30 December" in texts.detail("access_key_hours", "en", **DATA)


@pytest.mark.parametrize(
    ("section", "code", "text", "fault"),
    [
        ("reason", "contract_over", {"ja": "あ"}, "reason.contract_over: needs ja and en"),
        ("reason", "contract_over", {"ja": "あ", "en": ""}, "needs ja and en"),
        ("entry", "data_changed", {"ja": "{amount:yen}", "en": "a"}, "the languages differ in .'amount'"),
        ("effect", "fee", {"ja": "{at:week}", "en": "{at:week}"}, "nobody knows how to write .'week'"),
        ("frame", "x", {"ja": "あ", "en": "a"}, "missing or unknown: .'frame'"),
    ],
)
def test_a_faulty_text_is_refused_at_start(section: str, code: str, text: dict[str, str], fault: str) -> None:
    raw: dict[str, Any] = {one: {} for one in texts.SECTIONS}
    raw.setdefault(section, {})[code] = text
    with pytest.raises(ValueError, match=fault):
        texts.check(raw)


@in_both
@pytest.mark.parametrize(
    ("kind", "item"),
    [
        *(("monthly_fee", item) for item in ("wifi-50", "next", "support_premium")),
        *(("fee", item) for item in ("plan_change", "prepaid_months", "prepaid_months_forfeited")),
        *(("deposit", item) for item in ("deposit", "deposit_returned", "deposit_forfeited")),
        ("device", "device"),
        ("correction", "device"),
        ("purchase", "Film"),
    ],
)
def test_every_line_of_a_statement_has_its_words(kind: str, item: str, language: Language) -> None:
    said = texts.line(kind, item, policy.load(), language, "Eiga" if kind == "purchase" else None)
    assert "_" not in said and "–" not in said and "{" not in said
    assert kind == "purchase" or readable(said.replace("Wi-Fi", "").replace("Premium", ""), language)


def test_no_line_of_a_statement_has_words_in_vain() -> None:
    assert texts.texts("line") == set(get_args(get_type_hints(StatementLine)["kind"]))

"""Letters as PDF, read back as text, and where they appear."""

import errno
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pypdf import PdfReader

from outside.document import Table, pdf
from outside.letters import Printer, letter
from outside.notice import KINDS, Recipient, Undeliverable, Unreachable
from outside.page import Page
from settings import Settings
from tests.outside.notices import AT, HANAKO, notice
from tests.sandbox.process import Running


def read(document: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(document))


def words(document: bytes) -> str:
    return "\n".join(page.extract_text() for page in read(document).pages)


async def test_a_letter_has_its_address_its_date_its_text_and_page_numbers(settings: Settings) -> None:
    sent = notice("access_key", channel="post")
    await Printer(settings).print(sent)
    text = words((settings.print_dir / f"{sent.delivery_id}.pdf").read_bytes())
    for part in (
        "〒100-0001",
        "東京都千代田区千代田1-1",
        "髙﨑 花子 様",
        "2026年7月11日",
        "アクセスキー：AB12cd34",
    ):
        assert part in text
    assert "1 / 1 ページ" in text


async def test_a_letter_appears_in_the_outbox(sandbox: Running, settings: Settings) -> None:
    sent = notice("access_key", channel="post")
    await Printer(settings).print(sent)
    [item] = sandbox.outbox(contract_id=sent.contract_id, kind="access_key")
    assert (item["channel"], item["fields"]) == ("post", sent.fields)
    assert item["to"] == "〒1000001 東京都千代田区千代田1-1 髙﨑 花子"
    assert item in sandbox.outbox(to="hanako@example.jp")
    assert item in sandbox.outbox(to="千代田1-1")


async def test_the_same_delivery_twice_is_one_letter(sandbox: Running, settings: Settings) -> None:
    sent = notice("access_key", channel="post")
    await Printer(settings).print(sent)
    first = (settings.print_dir / f"{sent.delivery_id}.pdf").stat()
    await Printer(settings).print(sent)
    assert sorted(path.suffix for path in settings.print_dir.glob(f"{sent.delivery_id}*")) == [
        ".json",
        ".pdf",
    ]
    assert (settings.print_dir / f"{sent.delivery_id}.pdf").stat() == first
    assert len(sandbox.outbox(contract_id=sent.contract_id)) == 1


async def test_a_letter_broken_off_before_its_label_is_made_again(settings: Settings) -> None:
    sent = notice("access_key", channel="post")
    settings.print_dir.mkdir(exist_ok=True)
    half = settings.print_dir / f"{sent.delivery_id}.pdf"
    half.write_bytes(b"%PDF")
    await Printer(settings).print(sent)
    assert "AB12cd34" in words(half.read_bytes())


async def test_in_production_the_label_names_nobody(settings: Settings) -> None:
    sent = notice("access_key", channel="post")
    await Printer(settings.model_copy(update={"production": True})).print(sent)
    label = json.loads((settings.print_dir / f"{sent.delivery_id}.json").read_text())
    assert label == {
        "delivery_id": sent.delivery_id,
        "contract_id": sent.contract_id,
        "kind": "access_key",
        "language": "ja",
        "at": "2026-07-11T09:30:00+09:00",
        "pages": 1,
    }


@pytest.mark.parametrize(
    "to", [Recipient("花子"), Recipient("花子", address="東京都"), Recipient("花子", postal_code="1000001")]
)
async def test_without_a_postal_address_there_is_no_letter(settings: Settings, to: Recipient) -> None:
    with pytest.raises(Undeliverable):
        await Printer(settings).print(notice(to=to))


async def test_a_folder_that_cannot_be_written_is_worth_another_try(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "print").write_text("a file where the folder should be")
    with pytest.raises(Unreachable):
        await Printer(settings.model_copy(update={"print_dir": tmp_path / "print"})).print(notice())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_fits_a_letter_and_every_sign_of_it_is_in_the_font(kind: str) -> None:
    sent = notice(kind, language="both")
    text = words(bytes(letter(sent).output()))
    assert "〓" not in text
    assert "Dear 髙﨑 花子" in text


@pytest.mark.rule("MAT-6")
async def test_the_lines_of_a_bill_stand_below_its_text_on_as_many_pages_as_they_take(
    settings: Settings,
) -> None:
    rows = [("内容", "金額"), *((f"Film {n:03} (Eiga Channel)", "500円") for n in range(60))]
    sent = notice("statement", channel="post", details=("回線のご利用分", Table(rows, [3, 1])))
    await Printer(settings).print(sent)
    file = settings.print_dir / f"{sent.delivery_id}.pdf"
    text = words(file.read_bytes())
    assert (
        text.index("Keiyaku お客さま窓口")
        < text.index("回線のご利用分")
        < text.index("Film 000 (Eiga Channel)")
    )
    assert all(f"Film {n:03} " in text for n in range(60))
    label = json.loads(file.with_suffix(".json").read_text())
    assert label["pages"] == len(read(file.read_bytes()).pages) > 1
    assert "Film 059 (Eiga Channel)  500円" in label["text"]


def test_the_address_stands_where_the_window_is() -> None:
    places: dict[str, tuple[float, float]] = {}
    page = read(bytes(letter(notice("access_key")).output())).pages[0]

    def visit(text: str, _cm: object, matrix: list[float], _font: object, _size: object) -> None:
        places.setdefault(text.strip(), (matrix[4] / 72 * 25.4, 297 - matrix[5] / 72 * 25.4))

    page.extract_text(visitor_text=visit)
    left, top = places["〒100-0001"]
    assert 22 < left < 30 and 15 < top < 30


def test_the_same_content_gives_the_same_bytes() -> None:
    sent = notice("access_key")
    assert bytes(letter(sent).output()) == bytes(letter(sent).output())


def test_letters_made_at_the_same_time_are_as_those_made_alone() -> None:
    sent = [notice(kind) for kind in KINDS[:6]]
    alone = [bytes(letter(one).output()) for one in sent]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda one: bytes(letter(one).output()), [*sent, *sent]))
    assert together == [*alone, *alone]


def test_a_receipt_runs_over_as_many_pages_as_it_takes() -> None:
    rows = [["品目", "金額"], *[[f"レンタル料 {n}", "4,800円"] for n in range(70)]]
    document = pdf("領収書", ["下記のとおり領収いたしました。", Table(rows, [3, 1])], "ja", AT)
    assert len(read(document).pages) == 2
    text = words(document)
    assert text.count("品目") == 2  # the head is repeated
    assert all(part in text for part in ("領収書", "レンタル料 69", "1 / 2 ページ", "2 / 2 ページ"))


def test_english_is_broken_between_words_and_japanese_never_before_a_full_stop() -> None:
    page = Page("x", "ja", AT)
    lines = list(page.lines("The quick brown fox jumps over the lazy dog. " * 4))
    assert len(lines) > 1 and all(
        line.split()[-1] in "The quick brown fox jumps over the lazy dog." for line in lines
    )
    for length in range(40, 60):
        assert not any(line.startswith("。") for line in page.lines("あ" * length + "。" + "い" * 9))


def test_a_link_longer_than_a_line_is_broken_and_nothing_is_lost() -> None:
    link = "https://keiyaku.example/" + "a" * 200
    lines = list(Page("x", "en", AT).lines(link))
    assert len(lines) > 1 and "".join(lines) == link


def test_rare_characters_of_names_are_there_and_what_is_not_is_marked() -> None:
    page = Page("x", "ja", AT)
    assert page.printable("髙﨑𠮷邊德濵") == "髙﨑𠮷邊德濵"
    assert page.printable("花子\U0001f600\n") == "花子〓\n"


def test_nobody_is_named_when_a_sign_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    letter(
        notice(
            "access_key", to=Recipient("花\U0001f600子", "x@example.jp", HANAKO.postal_code, HANAKO.address)
        )
    ).output()
    assert caplog.records == []


async def test_a_full_disk_is_not_filled_further_by_every_try(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    before = set(settings.print_dir.glob("*"))
    with pytest.raises(Unreachable, match="No space left"):
        await Printer(settings).print(notice("access_key", channel="post"))
    assert set(settings.print_dir.glob("*")) == before

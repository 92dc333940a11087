"""Is a file that was cut short read up to its last whole line, and one that is damaged refused?"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import ExitCode, HistoryError, RunDirectoryError
from harness.evidence.tables import open_evidence
from harness.recorder.rows import Done, Inv
from harness.recorder.writer import HistoryWriter
from tests.histories.builder import ns
from tests.histories.order_stories import two_good_orders


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return two_good_orders().write(tmp_path / "run")


def history(folder: Path) -> Path:
    return folder / "history" / "0.jsonl"


def read(number: int, order_no: int, order: str | None) -> Inv:
    """An invocation that names an order by number and, where given, by string."""
    return Inv(
        id=number,
        journey=1,
        intent=1,
        op="read",
        phase="steady",
        scheduled_ns=ns(9.0),
        sent_ns=ns(9.0),
        order_no=order_no,
        order=order,
    )


def test_two_workers_may_number_one_order_differently(tmp_path: Path) -> None:
    home = two_good_orders().write(tmp_path)
    with HistoryWriter(home / "history" / "1.jsonl", worker=1, clock_ns=lambda: 0) as second:
        for order in ("B", "A"):
            number = second.next_id()
            order_no, _ = second.order_no(order)
            second.invoke(read(number, order_no, order))
            second.complete(Done(id=number, outcome="ok", done_ns=ns(9.1)))
    with open_evidence(home) as evidence:
        assert evidence.rows("SELECT order_no, order_id FROM orders ORDER BY order_no") == [(1, "A"), (2, "B")]
        query = "SELECT order_id FROM operations WHERE worker = 1 ORDER BY id"
        assert evidence.rows(query) == [("B",), ("A",)]


@given(cut=st.data())
@settings(max_examples=25)
def test_history_cut_anywhere_is_read_up_to_its_last_whole_line(
    cut: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = two_good_orders().write(tmp_path_factory.mktemp("run"))
    whole = history(home).read_bytes()
    size = cut.draw(st.integers(min_value=1, max_value=len(whole) - 1))
    history(home).write_bytes(whole[:size])
    kept, torn = whole[:size].rfind(b"\n") + 1, whole[size - 1 : size] != b"\n"
    with open_evidence(home) as evidence:
        rows = evidence.row("SELECT count(*) FROM history_rows ORDER BY ALL")[0]
        said = [note for note in evidence.notes if "torn" in note]
    assert rows == max(0, whole[:kept].count(b"\n") - 1)
    expected = f"history/0.jsonl ends in a torn line: {size - kept} bytes were left out"
    assert said == ([expected] if torn else [])
    assert history(home).read_bytes() == whole[:size]


def test_history_without_a_whole_line_is_told_apart_from_a_damaged_one(folder: Path) -> None:
    history(folder).write_bytes(b'{"k":"he')
    with open_evidence(folder) as evidence:
        assert "history/0.jsonl holds no whole line" in evidence.notes


def test_missing_footer_is_said(folder: Path) -> None:
    lines = history(folder).read_bytes().splitlines(keepends=True)
    history(folder).write_bytes(b"".join(lines[:-1]))
    with open_evidence(folder) as evidence:
        assert evidence.notes == ("history/0.jsonl has no footer: it was cut short",)
        query = "SELECT footer, torn, invocations_said, invocations FROM history_files ORDER BY worker"
        assert evidence.rows(query) == [(False, False, None, 6)]


@pytest.mark.parametrize(
    "line",
    [
        b'{"k":"inv","id":1,"jour\n',
        b'{"k":"inv","id":1,"journey":1,"intent":1,"op":"dance","sent_ns":1}\n',
        b'{"k":"done","id":2,"outcome":"perhaps","done_ns":3}\n',
        b'{"k":"done","outcome":"ok","done_ns":3}\n',
        b'{"k":"inv","id":50,"intent":1,"op":"read","sent_ns":1}\n',
        b'{"k":"done","id":12345,"outcome":"ok","done_ns":3}\n',
        b"null\n",
    ],
)
def test_damage_elsewhere_than_in_the_last_line_is_an_error_that_names_the_file(folder: Path, line: bytes) -> None:
    lines = history(folder).read_bytes().splitlines(keepends=True)
    history(folder).write_bytes(b"".join([*lines[:3], line, *lines[3:]]))
    with pytest.raises(HistoryError, match="history") as caught, open_evidence(folder):
        pass
    assert caught.value.exit_code is ExitCode.HARNESS_FAILED


def test_damaged_evidence_is_an_error_that_names_the_file(folder: Path) -> None:
    (folder / "evidence" / "ledger.card.jsonl").write_text('{"seq":1}\n{"seq":"two"}\n{"seq":3}\n')
    with pytest.raises(HistoryError, match=r"ledger\.card\.jsonl"), open_evidence(folder):
        pass


def test_torn_evidence_is_read_and_said(folder: Path) -> None:
    path = folder / "evidence" / "reads.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    with open_evidence(folder) as evidence:
        assert evidence.row("SELECT count(*) FROM reads ORDER BY ALL") == (1,)
        assert any("evidence/reads.jsonl ends in a torn line" in note for note in evidence.notes)


@pytest.mark.parametrize(
    "header", [b'{"k":"head","schema_version":9,"worker":0,"clock":"monotonic"}\n', b'{"k":"inv","id":1}\n']
)
def test_history_of_another_schema_or_without_header_is_an_error(folder: Path, header: bytes) -> None:
    lines = history(folder).read_bytes().splitlines(keepends=True)
    history(folder).write_bytes(b"".join([header, *lines[1:]]))
    with pytest.raises(HistoryError), open_evidence(folder):
        pass


def test_number_that_no_row_names_or_two_orders_share_is_an_error(tmp_path: Path) -> None:
    for place, name in enumerate((None, "other")):
        run = two_good_orders()
        number = 77 if name is None else 1
        run.history.append(read(500, number, name))
        with pytest.raises(HistoryError, match="order"), open_evidence(run.write(tmp_path / str(place))):
            pass


def test_folder_that_is_no_run_directory_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(RunDirectoryError, match=r"run\.json") as caught, open_evidence(tmp_path / "Nothing"):
        pass
    assert caught.value.exit_code is ExitCode.USAGE


@pytest.mark.parametrize("document", ["run.json", "HandWritten/scenario.json", "HandWritten/evidence/conduct.json"])
@pytest.mark.parametrize("content", [b"{}", b"[", b'{"schema_version": 99}', b'{"schema_version": 1}'])
def test_document_of_another_schema_is_a_usage_error(folder: Path, document: str, content: bytes) -> None:
    (folder.parent / document).write_bytes(content)
    with pytest.raises(RunDirectoryError, match=document.rsplit("/", maxsplit=1)[-1]), open_evidence(folder):
        pass

"""Are a target's logs looked through for personal data, and is nothing of it copied?"""

from pathlib import Path

from harness.evidence.logs import LINE_BYTES, copy_log_leaks
from harness.load.leaks import Scanner
from harness.load.personal import Canaries

ME = Canaries(seed=1, run_id="r1").of(3)
SCANNER = Scanner(seed=1, run_id="r1")


def leaks(folder: Path) -> list[str]:
    into = folder / "log_leaks.jsonl"
    copy_log_leaks(folder, SCANNER, into)
    return into.read_text().splitlines()


def test_each_line_and_kind_is_told_by_place_and_never_repeated(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text(f"started\ncalled {ME.phone}\n\nTraceback (most recent call last):\n")
    (tmp_path / "card.log").write_text(f"{ME.card} of {ME.openid}")
    (tmp_path / "other.txt").write_text(ME.phone)
    assert leaks(tmp_path) == [
        '{"source":"api","line":2,"kind":"phone"}',
        '{"source":"card","line":1,"kind":"card"}',
        '{"source":"card","line":1,"kind":"openid"}',
    ]
    assert ME.phone not in (tmp_path / "log_leaks.jsonl").read_text()


def test_logs_without_a_leak_and_no_logs_at_all_give_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_bytes(b"\xff\x00 masked 199****5620\n")
    assert leaks(tmp_path) == []
    (tmp_path / "api.log").unlink()
    assert leaks(tmp_path) == []


def test_a_line_without_end_is_read_in_pieces_of_one_number(tmp_path: Path) -> None:
    (tmp_path / "api.log").write_text("x" * LINE_BYTES + ME.phone + "\n" + ME.phone)
    assert leaks(tmp_path) == ['{"source":"api","line":1,"kind":"phone"}', '{"source":"api","line":2,"kind":"phone"}']

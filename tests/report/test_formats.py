"""Do files come to lie where they were asked for, whole or not at all?"""

import os
import threading
from pathlib import Path

import pytest

from harness.errors import HarnessError, UsageError
from harness.report import junit, markdown
from harness.report.formats import FORMATS, append_summary, prepare, write
from tests.report.examples import BROKEN, HELD

NAMES = {"junit": "j.xml", "ctrf": "c.json", "markdown": "m.md", "prometheus": "p.prom"}


def asked(folder: Path) -> dict[str, Path]:
    return {name: folder / file for name, file in NAMES.items()}


def test_each_format_has_a_file_here() -> None:
    assert NAMES.keys() | {"html"} == FORMATS.keys()  # the page needs the evidence too: test_html_page


def test_files_are_replaced_whole_and_nothing_lies_beside_them(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    write(BROKEN, asked(folder))
    before = {path.name: path.stat().st_ino for path in folder.iterdir()}
    write(HELD, asked(folder))
    assert before.keys() == set(NAMES.values())
    assert all(path.stat().st_ino != before[path.name] for path in folder.iterdir())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        NAMES[name]: FORMATS[name].render(HELD) for name in NAMES
    }


def test_others_may_read_a_file_as_the_umask_says(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write(HELD, {"prometheus": tmp_path / "p.prom"})
    finally:
        os.umask(before)
    assert (tmp_path / "p.prom").stat().st_mode & 0o777 == 0o644


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link.xml").symlink_to(tmp_path / "j.xml")
    write(HELD, {"junit": tmp_path / "link.xml"})
    assert (tmp_path / "link.xml").is_symlink()
    assert (tmp_path / "j.xml").read_bytes() == junit.render(HELD)


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    prepare({"junit": pipe})
    write(HELD, {"junit": pipe})
    reader.join()
    assert got == [junit.render(HELD)]
    assert pipe.is_fifo()


@pytest.mark.parametrize("path", ["/dev/null/j.xml", "/proc/j.xml"])
def test_a_path_that_cannot_be_written_is_named(path: str) -> None:
    said = f"--junit: {path} cannot be written: .*; name a file"
    with pytest.raises(UsageError, match=said):
        write(HELD, {"junit": Path(path)})
    with pytest.raises(UsageError, match=said):
        prepare({"junit": Path(path)})


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="it is a folder; name a file"):
        prepare({"junit": tmp_path})
    with pytest.raises(UsageError, match="cannot be written"):
        write(HELD, {"junit": tmp_path})
    assert list(tmp_path.iterdir()) == []


def test_before_a_run_results_of_another_are_taken_away_and_its_series_stay(tmp_path: Path) -> None:
    write(HELD, asked(tmp_path))
    prepare(asked(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["p.prom"]


def test_a_step_s_summary_is_appended_to_and_kept_below_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    append_summary(HELD, path)
    append_summary(BROKEN, path)
    assert path.read_bytes() == markdown.render(HELD) + markdown.render(BROKEN)
    path.write_bytes(b"#" * (markdown.MOST_BYTES - 2_000))
    append_summary(BROKEN, path)
    assert len(path.read_bytes()) <= markdown.MOST_BYTES
    path.write_bytes(b"#" * markdown.MOST_BYTES)
    with pytest.raises(HarnessError, match="may have 0"):
        append_summary(BROKEN, path)
    assert len(path.read_bytes()) == markdown.MOST_BYTES

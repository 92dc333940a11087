"""Is the README's picture of a run made from its page, and well-formed?"""

from pathlib import Path
from xml.etree import ElementTree as ET

from harness.report.html.page import page
from harness.report.saved import read_run
from tests.report.pages import broken_run, judged_folder
from tests.report.picture import WIDTH, picture


def test_it_says_the_verdict_and_draws_the_axis(tmp_path: Path) -> None:
    content = page(read_run(judged_folder(broken_run(), tmp_path)))
    drawn = picture(content)
    root = ET.fromstring(drawn)  # noqa: S314  # our own
    words = " ".join(text for text in root.itertext() if text.strip())
    assert root.get("width") == str(WIDTH)
    assert content.sentence.split()[0] in words
    assert "What was broken, with the edges that were seen" in words
    assert "var(" not in drawn

"""Is a target file read whole, or refused in one line that names file, key and way out?"""

from pathlib import Path

import pytest

from harness.errors import TargetFileError
from harness.targets.adapter import make_adapter
from harness.targets.file import REFERENCE, load_target
from harness.targets.reference import Reference
from harness.targets.source import SourceClock, SourceKind
from harness.targets.template import fill, placeholders

GOOD = """schema_version = 1
name = "shop"
adapter = "shop:Adapter"
base_url = "http://127.0.0.1:9"
[settings]
token = "{secret.token}"
[[service]]
name = "api"
group = "api"
command = ["{python}", "-m", "shop"]
[service.environment]
PORT = "{port}"
WAIT = "{window.answer_ms}"
[[edge]]
name = "bank"
to = "127.0.0.1:99"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "shop.toml"
    path.write_text(text)
    return path


def test_the_reference_is_whole_and_its_commands_run_in_the_projects_root() -> None:
    target = load_target(REFERENCE)
    assert target.folder == REFERENCE.parent.parent
    assert {service.name: service.group for service in target.service} == {
        "wechat": "providers",
        "alipay": "providers",
        "card": "providers",
        "dispatch": "dispatch",
        "api": "api",
        "api-next": "api",
        "status": "api",
        "front": "api",
    }
    assert {edge.name: edge.to for edge in target.edge} == {
        "customer": "front",
        "wechat": "wechat",
        "alipay": "alipay",
        "card": "card",
        "wechat-notices": "front",
        "alipay-notices": "front",
        "card-notices": "front",
        "dispatch": "dispatch",
        "database": "postgres",
        "status": "status",
    }
    assert target.status_url == "{edge.status}"
    assert [(source.name, source.kind, source.clock) for source in target.source] == [
        ("api", SourceKind.BOOKS, SourceClock.UTC),
        ("wechat", SourceKind.LEDGER, SourceClock.MONOTONIC),
        ("alipay", SourceKind.LEDGER, SourceClock.MONOTONIC),
        ("card", SourceKind.LEDGER, SourceClock.MONOTONIC),
        ("dispatch", SourceKind.FULFILMENT, SourceClock.MONOTONIC),
    ]
    assert target.groups == {"providers", "dispatch", "api", "toxiproxy", "postgres"}


def test_the_root_is_the_files_own_folder_unless_it_says_otherwise(tmp_path: Path) -> None:
    assert load_target(written(tmp_path, GOOD)).folder == tmp_path
    (tmp_path / "deploy").mkdir()
    below = written(tmp_path / "deploy", GOOD.replace("adapter =", 'root = ".."\nadapter ='))
    assert load_target(below).folder == tmp_path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema_version = 1", "schema_version = 2", "schema_version: Input should be 1"),
        ('name = "shop"', "", "name: Field required"),
        ("shop:Adapter", "shop.Adapter", "adapter: String should match"),
        ("[settings]", "nmae = 1\n[settings]", "nmae: Extra inputs are not permitted"),
        ("[settings]", "path = 1\n[settings]", "path: there is no such key"),
        ("[settings", "[settings", "is no TOML: "),
        ("{secret.token}", "{secrets.token}", r"[settings] token: {secrets.token} is unknown; "),
        ("{secret.token}", "{port}", "[settings] token: {port} is unknown; "),
        ("{port}", "{prt}", "[[service]] api: environment.PORT: {prt} is unknown; did you mean port?"),
        ("answer_ms", "anwser_ms", "environment.WAIT: {window.anwser_ms} is unknown; did you mean window.answer_ms"),
        ("[settings]", 'status_url = "{edge.bnak}"\n[settings]', "status_url: {edge.bnak} is unknown; did you mean"),
        ("{port}", "{setting.slots}", "[[service]] api: environment.PORT: {setting.slots} is unknown; "),
        ("[settings]", "[defaults]\nSlots = 2\n[settings]", "defaults.Slots.[key]: String should match"),
        ("{port}", "{edge.bnak}", "{edge.bnak} is unknown; did you mean edge.bank"),
        ("{port}", "{database}", "[[service]] api: environment.PORT: {database} is unknown; "),
        ("{port}", "{port", "environment.PORT: a lone { in '{port'; write {{ for a brace"),
        (
            "127.0.0.1:99",
            "ap",
            "[[edge]] bank: to = 'ap' is neither a service nor postgres nor host:port; did you mean",
        ),
        ("127.0.0.1:99", "postgres", "[[edge]] bank: leads to postgres, so the file needs [postgres]"),
        ('base_url = "http://127.0.0.1:9"\n', "", "no base_url and no [[edge]] named customer"),
        ("http://127.0.0.1:9", "127.0.0.1:9", "base_url: String should match"),
        ('to = "127.0.0.1:99"', 'to = "api"\n[[edge]]\nname = "bank"\nto = "api"', "[[edge]] bank stands there twice"),
        ("adapter =", 'root = "nowhere"\nadapter =', "root: "),
        ('["{python}", "-m", "shop"]', "[]", "service.0.command: "),
    ],
)
def test_what_is_wrong_is_told_with_file_and_key(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new, 1) if old != new else GOOD.replace("[settings]", "[settings", 1)
    path = written(tmp_path, text)
    with pytest.raises(TargetFileError) as refused:
        load_target(path)
    said = str(refused.value)
    assert said.startswith(f"target file {path}")
    assert message in said
    assert "\n" not in said.replace("'{port'", "")


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    with pytest.raises(TargetFileError, match="cannot be read: "):
        load_target(tmp_path / name)


def test_placeholders_are_filled_and_doubled_braces_stand_for_braces() -> None:
    text = '{{"port": {port}, "host": "{edge.a-b.host}"}}'
    assert fill(text, {"port": "80", "edge.a-b.host": "h"}, where="here") == '{"port": 80, "host": "h"}'
    assert placeholders(text, where="here") == {"port", "edge.a-b.host"}
    with pytest.raises(TargetFileError, match=r"here: \{port\} is unknown; there are none"):
        fill("{port}", {}, where="here")


def test_an_adapter_is_made_from_its_settings_or_refused_with_the_reason(tmp_path: Path) -> None:
    reference = load_target(REFERENCE)
    assert isinstance(make_adapter(reference, {"token_secret": "a", "operator_token": "b"}), Reference)
    (tmp_path / "own_adapter_beside_its_file.py").write_text("class Mine:\n    def __init__(self, settings): ...\n")
    for adapter, message in (
        ("own_adapter_beside_its_file:Mine", None),
        ("own_adapter_beside_its_file:Yours", "has no Yours"),
        ("no_such_module_anywhere:Mine", "No module named"),
    ):
        target = load_target(written(tmp_path, GOOD.replace("shop:Adapter", adapter)))
        if message is None:
            assert type(make_adapter(target, {})).__name__ == "Mine"
        else:
            with pytest.raises(TargetFileError, match=message):
                make_adapter(target, {})

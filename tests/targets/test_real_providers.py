"""Is a real payment provider refused wherever a target file, or anybody else, names it?"""

from pathlib import Path

import pytest

from harness.errors import HostNotAllowed
from harness.stack.hosts import check_hosts
from harness.targets.file import REFERENCE, load_target
from harness.targets.real_providers import REAL_PROVIDERS, whose_host

PLAIN = """schema_version = 1
name = "shop"
adapter = "shop:Adapter"
base_url = "http://127.0.0.1:9"

[settings]
gateway = "none"

[waivers]
no_leak = "as at stripe.com"

[[service]]
name = "api"
group = "api"
command = ["{python}"]

[service.environment]
WECHAT = "http://127.0.0.1:7"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "shop.toml"
    path.write_text(text)
    return path


def test_a_host_is_known_by_the_end_of_its_name() -> None:
    assert whose_host("api.mch.weixin.qq.com") == "WeChat Pay"
    assert whose_host("OpenAPI.Alipay.com.") == "Alipay"
    assert whose_host("stripe.com") == "a payment service provider"
    assert [whose_host(host) for host in ("notstripe.com", "stripe.com.shop.example", "qq.com", "127.0.0.1", "")] == (
        [None] * 5
    )


def test_no_end_is_listed_twice() -> None:
    ends = [end for each in REAL_PROVIDERS.values() for end in each]
    assert len(ends) == len(set(ends))


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("http://127.0.0.1:9", "https://api.stripe.com/v1", "base_url names api.stripe.com"),
        ("[settings]", 'allow_hosts = ["api.adyen.com"]\n[settings]', "allow_hosts.0 names api.adyen.com"),
        ('"none"', '"say API.Mch.Weixin.QQ.com"', "settings.gateway names API.Mch.Weixin.QQ.com"),
        ("http://127.0.0.1:7", "https://api.mch.weixin.qq.com", "service.api.environment.WECHAT names api.mch"),
        (
            '["{python}"]',
            '["{python}", "--to=openapi.alipay.com:443"]',
            "service.api.command.1 names openapi.alipay.com",
        ),
        (
            "[settings]",
            '[[edge]]\nname = "card"\nto = "eu.worldpay.com:443"\n[settings]',
            "edge.card.to names eu.world",
        ),
    ],
)
def test_a_target_file_that_names_one_is_refused_with_the_key(tmp_path: Path, old: str, new: str, where: str) -> None:
    assert old in PLAIN
    with pytest.raises(HostNotAllowed) as refused:
        load_target(written(tmp_path, PLAIN.replace(old, new, 1)))
    assert str(refused.value).startswith(f"target file {tmp_path / 'shop.toml'}: {where}")
    assert "neither allow_hosts nor --allow-host changes that" in str(refused.value)


def test_a_reason_for_people_may_name_one_and_the_reference_target_names_none(tmp_path: Path) -> None:
    assert load_target(written(tmp_path, PLAIN)).waivers == {"no_leak": "as at stripe.com"}
    load_target(REFERENCE)


def test_a_host_that_both_sides_allow_is_refused_all_the_same() -> None:
    with pytest.raises(HostNotAllowed, match="a real payment provider is never loaded or broken"):
        check_hosts(["https://api.stripe.com/"], file_allows=["api.stripe.com"], allowed=["api.stripe.com"])

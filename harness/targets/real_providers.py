"""Which hosts are never loaded or broken, whatever anybody allows?

Those of real payment providers: what is sent there moves money, or strikes a machine that is not ours (their
sandboxes too). Looked for in every string of a target file before a byte is sent, and in every address that anyone
else names (`harness.stack.hosts`). Known by the end of their names, so what hides behind another name is not seen.
"""

import re
from collections.abc import Iterable, Iterator
from types import MappingProxyType

from harness.errors import HostNotAllowed

REAL_PROVIDERS = MappingProxyType(
    {
        "WeChat Pay": ("mch.weixin.qq.com", "pay.weixin.qq.com", "wechatpay.cn", "tenpay.com"),
        "Alipay": ("alipay.com", "alipay.com.cn", "alipaydev.com", "alipay-eco.com", "alipayplus.com", "antom.com"),
        "UnionPay": ("unionpay.com", "unionpaysecure.com", "95516.com", "chinaums.com"),
        "a Chinese acquirer": (
            "99bill.com",
            "allinpay.com",
            "jdpay.com",
            "lakala.com",
            "lianlianpay.com",
            "pingxx.com",
            "yeepay.com",
        ),
        "a card scheme": ("mastercard.com", "visa.com", "americanexpress.com", "jcb.co.jp"),
        "a card acquirer": (
            "authorize.net",
            "cybersource.com",
            "elavon.com",
            "firstdata.com",
            "fiserv.com",
            "globalpay.com",
            "globalpayments.com",
            "opayo.co.uk",
            "sagepay.com",
            "worldline-solutions.com",
            "worldpay.com",
        ),
        "a payment service provider": (
            "2checkout.com",
            "adyen.com",
            "adyenpayments.com",
            "airwallex.com",
            "braintree-api.com",
            "braintreegateway.com",
            "checkout.com",
            "dlocal.com",
            "klarna.com",
            "mollie.com",
            "nuvei.com",
            "paypal.com",
            "payu.com",
            "rapyd.net",
            "razorpay.com",
            "square.com",
            "squareup.com",
            "squareupsandbox.com",
            "stripe.com",
        ),
    }
)
"""Who it is -> the ends of its hosts' names."""

HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", re.IGNORECASE)
_WHOSE = {end: whose for whose, ends in REAL_PROVIDERS.items() for end in ends}


def whose_host(host: str) -> str | None:
    """Which real provider a host belongs to; None for any other."""
    labels = host.lower().rstrip(".").split(".")
    ends = (".".join(labels[start:]) for start in range(len(labels)))
    return next((_WHOSE[end] for end in ends if end in _WHOSE), None)


def refuse_real_providers(texts: Iterable[tuple[str, str]]) -> None:
    """Raise HostNotAllowed for the first text that names a real provider's host; each is (where it stands, itself)."""
    for where, text in texts:
        for host in _hosts_in(text):
            whose = whose_host(host)
            if whose is not None:
                raise HostNotAllowed(
                    f"{where} names {host}, a host of {whose}: a real payment provider is never loaded or broken, and "
                    "neither allow_hosts nor --allow-host changes that; name a simulator of your own instead"
                )


def texts_of(document: object, where: str = "") -> Iterator[tuple[str, str]]:
    """Every string of a TOML document and the key that it stands at; waivers are left out, as words for people."""
    if isinstance(document, str):
        yield where, document
    elif isinstance(document, dict):
        for key, part in document.items():
            if where or key != "waivers":
                yield from texts_of(part, f"{where}.{key}" if where else key)
    elif isinstance(document, list):
        for number, part in enumerate(document):
            name = part.get("name", number) if isinstance(part, dict) else number
            yield from texts_of(part, f"{where}.{name}")


def _hosts_in(text: str) -> Iterator[str]:
    return (match.group() for match in HOST.finditer(text))

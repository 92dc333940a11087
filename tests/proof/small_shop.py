"""How is the small, honest target (`small_api`) named in a target file? Up to its sources and waivers."""

from tests.lanes import ROOT


def small_shop(*, stock: int) -> str:
    """The beginning of a target file: a shop with so many pieces to sell, and the customers' edge to it."""
    return f"""schema_version = 1
name = "small-shop"
root = "{ROOT}"
adapter = "harness.targets.reference:Reference"

[settings]
token_secret = "{{secret.token}}"
operator_token = "{{secret.operator}}"

[[service]]
name = "shop"
group = "api"
command = ["{{python}}", "-m", "tests.proof.small_api"]

[service.environment]
SMALL_API_PORT = "{{port}}"
SMALL_API_STOCK = "{stock}"
SMALL_API_PAY_BY_MS = "{{window.pay_by_ms}}"
SMALL_API_TOKEN_SECRET = "{{secret.token}}"
SMALL_API_OPERATOR_TOKEN = "{{secret.operator}}"
SMALL_API_BUILD = "{{build}}"

[[edge]]
name = "customer"
to = "shop"
"""

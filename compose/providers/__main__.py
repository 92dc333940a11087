"""`python -m compose.providers {wechat|alipay|card}`: one provider, until it is told to stop.

Exit codes: 0 told to stop, 2 wrong arguments or environment.
"""

import os
import sys
from collections.abc import Callable, Mapping

from compose.environment import SettingMissing
from compose.providers.acquirer import Acquirer
from compose.providers.alipay import Alipay
from compose.providers.card import Card
from compose.providers.server import CannotStart, serve
from compose.providers.settings import read_settings
from compose.providers.wechat import Wechat

ACQUIRERS: Mapping[str, Callable[[str], Acquirer]] = {"wechat": Wechat, "alipay": Alipay, "card": lambda _: Card()}


def main(arguments: list[str]) -> int:
    """Serve the provider that is named."""
    if len(arguments) != 1 or arguments[0] not in ACQUIRERS:
        sys.stderr.write(f"usage: python -m compose.providers {{{'|'.join(ACQUIRERS)}}}\n")
        return 2
    try:
        settings = read_settings(os.environ)
        serve(ACQUIRERS[arguments[0]](settings.key), settings)
    except (SettingMissing, CannotStart) as exc:
        sys.stderr.write(f"{arguments[0]}: {exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

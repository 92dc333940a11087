"""Small targets for tests: services that are `echo.py`, edges between them."""

from pathlib import Path

from harness.profile import GATE
from harness.stack.builds import Chosen

ECHO = Path(__file__).with_name("echo.py")
FIXED = Chosen(build="fixed", defects=())
WINDOWS = GATE

HEAD = """schema_version = 1
name = "small"
adapter = "adapter:Small"
[settings]
token = "{secret.token}"
"""
DATABASE = """
[postgres]
database = "small"
[[edge]]
name = "database"
to = "postgres"
"""


def service(name: str, *, other: str, group: str = "api", **environment: str) -> str:
    """A service that knows the edge `other`, with further variables."""
    known = {
        "ECHO_PORT": "{port}",
        "ECHO_DATA": "{data}",
        "ECHO_BUILD": "{build}",
        "ECHO_OTHER": f"{{edge.{other}}}/from/{name}",
    }
    lines = [
        "[[service]]",
        f'name = "{name}"',
        f'group = "{group}"',
        'ready = "/"',
        f'command = ["{{python}}", "{ECHO}"]',
        "[service.environment]",
        *(f'{key} = "{value}"' for key, value in (known | environment).items()),
    ]
    return "\n".join(["", *lines, ""])


def edge(name: str, to: str) -> str:
    """An edge."""
    return f'\n[[edge]]\nname = "{name}"\nto = "{to}"\n'


def pair(folder: Path, *more: str, database: bool = False, **environment: str) -> Path:
    """A target file with the services a and b, which know each other through edges; b takes `environment`."""
    parts = [
        HEAD,
        DATABASE if database else "",
        service("a", other="to-b"),
        service("b", other="customer", group="rest", **environment),
        edge("customer", "a"),
        edge("to-b", "b"),
        *more,
    ]
    path = folder / "small.toml"
    path.write_text("".join(parts))
    return path

"""What does a project of one's own begin with?

The files below `template/`, as they stand there: they are linted, typed and run by tests. Written whole or not at
all where one of them is in the way; a project may lie in a folder that has other files.
"""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from harness.errors import UsageError

TEMPLATE = Path(__file__).parent / "template"
FILES: Mapping[str, str] = MappingProxyType(
    {
        "README.md": "README.md",
        "target.toml": "target.toml",
        "scenarios/first.py": "scenarios/first.py",
        "payment-chaos.yml": ".github/workflows/payment-chaos.yml",
        "gitignore": ".gitignore",
    }
)
"""File of the template -> where it goes."""


def write_project(folder: Path) -> list[Path]:
    """Write every file of a new project, and return where they are.

    Raises UsageError, having written nothing, where one is there already, or the folder cannot be written to.
    """
    wanted = {TEMPLATE / name: folder / place for name, place in FILES.items()}
    in_the_way = [str(path) for path in wanted.values() if path.exists() or path.is_symlink()]
    if in_the_way:
        raise UsageError(
            f"{', '.join(in_the_way)}: there already, and nothing is overwritten; "
            "move it away, or name another folder: harness init FOLDER"
        )
    for source, path in wanted.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("xb") as file:
                file.write(source.read_bytes())
        except OSError as exc:
            raise UsageError(
                f"{path} cannot be written: {exc.strerror}; name another folder: harness init FOLDER"
            ) from exc
    return list(wanted.values())

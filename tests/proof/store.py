"""What was proven already, of exactly this code?

Results lie in `.harness/proof/<digest>/`, one JSON an item; the digest is over
every file of harness/, compose/, scenarios/ and tests/, so any change begins anew.
"""

import hashlib
from pathlib import Path

import msgspec

from tests.proof.item import Proven

FOLDERS = ("compose", "harness", "scenarios", "tests")


def digest_of(root: Path) -> str:
    """Digest of all code that a proof is about: path and content of each file."""
    whole = hashlib.sha256()
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                name = path.relative_to(root).as_posix()
                whole.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()[:16]


class Store:
    """The results of one digest."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self) -> dict[str, Proven]:
        """Name -> result, of every item that has ended."""
        found = [msgspec.json.decode(path.read_bytes(), type=Proven) for path in sorted(self.folder.glob("*.json"))]
        return {proven.name: proven for proven in found}

    def write(self, proven: Proven) -> None:
        """Keep a result, whole or not at all."""
        self.folder.mkdir(parents=True, exist_ok=True)
        draft = self.folder / f"{proven.name}.draft"
        draft.write_bytes(msgspec.json.format(msgspec.json.encode(proven), indent=2) + b"\n")
        draft.replace(self.folder / f"{proven.name}.json")

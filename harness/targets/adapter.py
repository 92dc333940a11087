"""How does the class that a target file names become an adapter?"""

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, cast

from harness.errors import TargetFileError
from harness.targets.protocol import Target

if TYPE_CHECKING:
    from harness.targets.file import TargetFile


def make_adapter(target: "TargetFile", settings: Mapping[str, str]) -> Target:
    """The target's adapter, given its settings filled in; raises what `load_adapter` raises."""
    return load_adapter(target.adapter, settings, folder=target.folder, named_in=target.path)


def load_adapter(adapter: str, settings: Mapping[str, str], *, folder: Path, named_in: Path) -> Target:
    """The adapter `module:Class`, given its settings filled in.

    Its module is also looked for in the target's root, `folder`, so that an adapter may lie beside the target file,
    `named_in`. Raises TargetFileError where there is no such module or class, or the class refuses the settings.
    """
    module, _, name = adapter.partition(":")
    where = f"target file {named_in}: adapter {adapter}"
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    try:
        made = getattr(importlib.import_module(module), name)
    except ImportError as exc:
        raise TargetFileError(f"{where}: {exc}; it is looked for in {folder} too") from exc
    except AttributeError as exc:
        raise TargetFileError(f"{where}: module {module} has no {name}") from exc
    try:
        return cast("Target", made(settings))
    except TargetFileError:
        raise
    except Exception as exc:  # another's code, which may raise anything
        raise TargetFileError(f"{where}: given [settings] it raised {type(exc).__name__}: {exc}") from exc

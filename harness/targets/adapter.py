"""How does the class that a target file names become an adapter?"""

import importlib
import sys
from collections.abc import Mapping
from typing import cast

from harness.errors import TargetFileError
from harness.targets.file import TargetFile
from harness.targets.protocol import Target


def make_adapter(target: TargetFile, settings: Mapping[str, str]) -> Target:
    """The target's adapter, given its settings filled in.

    Its module is also looked for in the target's root, so that an adapter may lie beside the file. Raises
    TargetFileError where there is no such module or class, or the class refuses the settings.
    """
    module, _, name = target.adapter.partition(":")
    where = f"target file {target.path}: adapter {target.adapter}"
    if str(target.folder) not in sys.path:
        sys.path.append(str(target.folder))
    try:
        made = getattr(importlib.import_module(module), name)
    except ImportError as exc:
        raise TargetFileError(f"{where}: {exc}; it is looked for in {target.folder} too") from exc
    except AttributeError as exc:
        raise TargetFileError(f"{where}: module {module} has no {name}") from exc
    try:
        return cast("Target", made(settings))
    except TargetFileError:
        raise
    except Exception as exc:  # another's code, which may raise anything
        raise TargetFileError(f"{where}: given [settings] it raised {type(exc).__name__}: {exc}") from exc

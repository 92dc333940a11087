"""Where does the page get the library that draws its charts? From its package, bundled once an environment.

vl-convert-python carries Vega, Vega-Lite and Vega-Embed and bundles them into one script (0.9 MB) without any
network. That takes it some seconds, so the script is kept beside the packages that it was made from, under
their version; where that folder cannot be written it is made anew each time.
"""

import sys
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path

PACKAGE = "vl-convert-python"
SNIPPET = "window.vegaEmbed = vegaEmbed;"
"""What the bundle does when it is run: the page's own script finds the library by that name."""


def chart_library(folder: Path | None = None) -> str:
    """The library as one script; kept in `folder`, by default the environment's `share`."""
    kept = (folder or Path(sys.prefix) / "share" / "payment-chaos-harness") / f"vega-{version(PACKAGE)}.js"
    with suppress(OSError):
        return kept.read_text(encoding="utf-8")
    import vl_convert  # noqa: PLC0415  # 87 MB, and only needed once

    script: str = vl_convert.javascript_bundle(SNIPPET)
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".draft")
        draft.write_text(script, encoding="utf-8")
        draft.replace(kept)
    return script

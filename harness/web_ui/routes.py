"""Which addresses of Locust's own web UI are ours, and which of its answers do we change?

    <base>/payment-chaos/            the page alone      .../now          what is known, as HTML
    <base>/payment-chaos/runs/<id>   a run's page        .../tab.js .css  what Locust's tab and the page are made of
    <base>/                          Locust's page, with our script in it
    <base>/swarm                     a start that cannot be granted is refused with its reason

Behind Locust's login where there is one. What goes wrong here is answered, never raised: it is no reason to fail a run.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from flask import Blueprint, Response, jsonify, request

from harness.errors import HarnessError
from harness.web_ui.drawing import asset, draw, draw_page
from harness.web_ui.known import Known
from harness.web_ui.telling import tell

NAME = "payment-chaos"
"""Of the tab, of the element in it, and of our folder of addresses."""
SCRIPT = f'<script src="./{NAME}/tab.js"></script>'.encode()
"""In Locust's page it comes before Locust's own, which is a module."""
BODY_ENDS = b"</body>"
ASKS_FOR_A_HOST, ASKS_FOR_NONE = b'"missing_host_warning": true', b'"missing_host_warning": false'
"""Locust would have a host named in its form; the target file names it."""
INDEX, START = "locust.index", "locust.swarm"
"""Endpoints of Locust's."""
TYPES = {"tab.js": "text/javascript", "tab.css": "text/css"}
NO_STORE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
NOT_FOUND, FAILED = 404, 500

LOGGER = logging.getLogger(__name__)

View = Callable[..., Response]


class Runs(Protocol):
    """Who knows this process's runs."""

    def known(self) -> Known:
        """What is known now."""
        ...

    def refusal(self, form: Mapping[str, str]) -> str | None:
        """Why a run cannot be started as the form asks; None where it can."""
        ...

    def page_of(self, folder: Path) -> bytes:
        """The page of a run that is over, as HTML; raises HarnessError where it cannot be made."""
        ...


def hang_in(ui: Any, runs: Runs, base_path: str) -> None:
    """Hang our tab and our addresses in Locust's web UI, before it takes its first request."""
    ui.template_args["extended_tabs"] = [{"title": "Payment chaos", "key": NAME, "component": NAME}]
    ui.app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}  # the form's fields in our order
    ours = Blueprint("payment_chaos", __name__, url_prefix=f"{base_path.rstrip('/')}/{NAME}")

    def serve(path: str, view: View) -> None:
        ours.add_url_rule(path, view_func=ui.auth_required_if_enabled(view))

    def page() -> Response:
        return answer(draw_page())

    def now() -> Response:
        return answer(draw(tell(runs.known())))

    def part(name: str) -> Response:
        return answer(asset(name), TYPES[name])

    def run(run_id: str) -> Response:
        folders = (ended.folder for ended in runs.known().ended if ended.status is not None)
        folder = next((folder for folder in folders if folder is not None and folder.name == run_id), None)
        if folder is None:
            return answer(f"this Locust has played no run {run_id}", "text/plain", NOT_FOUND)
        try:
            return answer(runs.page_of(folder))
        except HarnessError as error:
            return answer(str(error), "text/plain", FAILED)

    serve("/", page)
    serve("/now", now)
    serve("/<any('tab.js', 'tab.css'):name>", part)
    serve("/runs/<run_id>", run)
    ours.register_error_handler(Exception, failed)
    ui.app.register_blueprint(ours)
    ui.app.before_request(lambda: refuse(runs))
    ui.app.after_request(with_script)


def answer(text: str | bytes, kind: str = "text/html", status: int = 200) -> Response:
    """Something that no browser keeps."""
    return Response(text, status, mimetype=kind, headers=NO_STORE)


def failed(error: Exception) -> Response:
    """Say that it went wrong; an exception that Flask logged would count as the harness's own failure."""
    LOGGER.warning("the web UI could not answer %s: %s: %s", request.path, type(error).__name__, error)
    return answer(f"{type(error).__name__}: {error}", "text/plain", FAILED)


def refuse(runs: Runs) -> Response | None:
    """Answer the UI's Start with a reason where it cannot be granted."""
    message = runs.refusal(request.form) if request.endpoint == START else None
    return jsonify({"success": False, "message": message, "host": ""}) if message else None


def with_script(response: Response) -> Response:
    """Put our script into Locust's page, and take its wish for a host out."""
    if request.endpoint == INDEX and response.mimetype == "text/html":
        page = response.get_data().replace(BODY_ENDS, SCRIPT + BODY_ENDS, 1)
        response.set_data(page.replace(ASKS_FOR_A_HOST, ASKS_FOR_NONE, 1))
    return response

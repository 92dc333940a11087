"""What must a request carry to be one of a user's, at the stack that stands?"""

from pathlib import Path

from harness.errors import UsageError
from harness.stack.standing import read_standing
from harness.stack.undo import STATE_FOLDER
from harness.targets.adapter import make_adapter
from harness.targets.file import load_target
from harness.targets.template import fill


def headers_of(user: str, *, state: Path = STATE_FOLDER) -> tuple[str, ...]:
    """Headers "name: value", as the adapter gives them to a user's read.

    Raises UsageError where nothing stands, TargetFileError where the adapter needs more than the stack's secrets.
    """
    standing = read_standing(state)
    if standing is None:
        raise UsageError("nothing stands, so there is no token; `harness up` brings a stack up")
    file = load_target(Path(standing.asked.target_file))
    secrets = {f"secret.{name}": value for name, value in standing.secrets.items()}
    where = f"{file.path}: [settings]"
    settings = {name: fill(text, secrets, where=where) for name, text in file.settings.items()}
    call = make_adapter(file, settings).read(user, "any")
    request = next(call)
    call.close()
    return tuple(f"{name}: {value}" for name, value in request.headers)

"""`docker`, as far as one container needs it: its state is a JSON file beside this program, its calls are lines.

    docker inspect|kill|start|pause|unpause|logs ... CONTAINER

With "immortal" in the state a kill says that it was done, and does nothing.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
STATE = HERE / "state.json"


def main(verb: str, *arguments: str) -> int:
    """Do it; 1 where there is no such container."""
    with (HERE / "calls.txt").open("a") as calls:
        calls.write(" ".join((verb, *arguments)) + "\n")
    state = json.loads(STATE.read_text()) if STATE.exists() else None
    if state is None:
        sys.stderr.write("Error: No such container\n")
        return 1
    if verb == "inspect":
        sys.stdout.write(f"c1 {json.dumps(state)}\n")
        return 0
    if verb == "logs":
        sys.stdout.write("first words\n")
        sys.stderr.write("last words\n")
        return 0
    if verb == "start":
        state |= {"Status": "running", "Running": True, "Pid": state["Next"], "Next": state["Next"] + 1}
        state |= {"StartedAt": state.get("Always") or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000Z")}
    elif verb == "kill" and "immortal" not in state:
        state |= {"Status": "exited", "Running": False, "Pid": 0}
    elif verb in {"pause", "unpause"}:
        state |= {"Status": {"pause": "paused", "unpause": "running"}[verb], "Paused": verb == "pause"}
    STATE.write_text(json.dumps(state))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

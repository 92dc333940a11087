"""A conductor to be killed: opens ground and stack, sets a toxic, says so on standard output, and waits.

Arguments: target file, state folder, folder for logs, and "leak" to fork a child that holds every descriptor open.
"""

import json
import os
import sys
import time
from pathlib import Path

from harness.profile import GATE
from harness.stack.builds import Chosen
from harness.stack.local import open_ground, open_stack
from harness.stack.parts import Toxic
from harness.targets.file import load_target


def main(target_file: str, state: str, logs: str, *rest: str) -> None:
    """Stand until killed."""
    target = load_target(Path(target_file))
    with open_ground(target, run_id="victim", logs=Path(logs), state=Path(state)) as ground:
        with open_stack(
            ground, scenario="S", seed=1, chosen=Chosen(build="fixed", defects=()), windows=GATE, logs=Path(logs)
        ) as stack:
            assert ground.toxiproxy is not None
            proxy = stack.edges["customer"].proxy
            toxic = Toxic(name="silence", kind="timeout", stream="downstream", attributes={"timeout": 0})
            ground.warden.will_delete(ground.toxiproxy.toxic_url(proxy, toxic.name))
            ground.toxiproxy.add_toxic(proxy, toxic)
            stack.pause("b")  # a stopped process must be ended too
            leaked = os.fork() if "leak" in rest else 0
            if leaked or "leak" not in rest:
                pids = [process.pid for name in stack.services if (process := stack.running(name)) is not None]
                pids += [ground.postgres.pid] if ground.postgres is not None and ground.postgres.pid else []
                facts = {
                    "pids": pids,
                    "warden": ground.warden.pid,
                    "ports": list(ground.services.values()),
                    "proxy": proxy,
                    "folder": str(ground.folder),
                    "leaked": leaked,
                }
                print(json.dumps(facts), flush=True)  # noqa: T201 # read by the test
            time.sleep(600)


if __name__ == "__main__":
    main(*sys.argv[1:])

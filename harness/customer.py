"""What does a scenario file subclass, and how does Locust come to run it?

`Customer` is at once a Locust user class and the whole description of a
scenario. Importing this module hangs the conductor on Locust's events
(`harness.lifecycle`). Locust itself holds no users: arrivals are an open model,
dispatched by the conductor.
"""

import inspect
import sys
from collections.abc import Iterable
from typing import ClassVar

from locust import User, events

from harness.errors import UsageError
from harness.operation import Size
from harness.scenario import Plan, Scenario


class Customer(User):
    """One scenario: who comes, what is broken meanwhile, and what is promised all the same.

    The class's docstring says in its first line what happens to the customer.
    """

    abstract = True
    tasks = [lambda _user: None]  # noqa: RUF012  # Locust warns about a user without tasks; none is ever run
    facts: ClassVar[tuple[str, ...]] = ()
    """Facts of the incident that the scenario replays, such as "F07"."""
    gate: ClassVar[Plan]
    """What a nightly gate runs."""
    scene: ClassVar[Plan]
    """The short form, about 8 s of load, that the harness's own tests run."""

    @classmethod
    def describe(cls) -> Scenario:
        """Give the scenario as pure data.

        Raises UsageError where the class lacks a docstring, a plan or a claim.
        """
        if not cls.__doc__ or cls.__doc__ == Customer.__doc__:
            raise UsageError(
                f"scenario {cls.__name__} has no docstring; its first line says what happens to the customer"
            )
        plans = {size: plan for size in Size if isinstance(plan := getattr(cls, size.value, None), Plan)}
        if not plans:
            raise UsageError(f"scenario {cls.__name__} declares no size; give it a Plan named `gate` or `scene`")
        for size, plan in plans.items():
            if not plan.claims:
                raise UsageError(
                    f"scenario {cls.__name__}.{size} claims nothing, so it could never fail; name its promises"
                )
        return Scenario(name=cls.__name__, doc=inspect.cleandoc(cls.__doc__), facts=cls.facts, plans=plans)


def loaded(base: type[Customer] = Customer) -> tuple[str, ...]:
    """Names of every concrete scenario whose file was loaded, sorted."""
    every = {
        name for cls in base.__subclasses__() for name in (*loaded(cls), *(() if cls.abstract else (cls.__name__,)))
    }
    return tuple(sorted(every))


def describe_all(classes: Iterable[type[object]]) -> tuple[Scenario, ...]:
    """Describe every concrete scenario among Locust's user classes, sorted by name."""
    chosen = [cls for cls in classes if isinstance(cls, type) and issubclass(cls, Customer) and not cls.abstract]
    return tuple(cls.describe() for cls in sorted(chosen, key=lambda cls: cls.__name__))


if "locust.main" in sys.modules:  # Locust's command line, not a catalogue or a test that only wants descriptions
    from harness.lifecycle import hang

    hang(events, describe_all, loaded)

"""Short runs are played in the same way as by the tests of a run's life."""

from tests.lifecycle.conftest import new_place, toxiproxy

__all__ = ["new_place", "toxiproxy"]

"""Which tables does a statement need, and do they stand already?

    define(CREATE ...) ──> waiting ──┐ built when a statement first names it,
    execute(statement) ── its words ─┘ after what its own definition names

A check asks for a few of the forty tables; on a small run, making the others costs more than judging. A name
is a word outside comments and strings: a column that is called like a table builds that table for nothing,
and does no other harm. A statement says itself what it creates. It may name what was defined before it,
and nothing that is defined later.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import duckdb

CREATED = re.compile(r"\s*CREATE (?:TABLE|VIEW|MACRO) (\w+)")
AMENDED = re.compile(r"\s*UPDATE (\w+)")
WORDS = re.compile(r"'(?:[^']|'')*'|--[^\n]*|(\w+)")
STATEMENTS = 1024
"""More than the harness has; their words are looked for once a process."""

Parameters = Sequence[object] | Mapping[str, object] | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Definition:
    """A table, view or macro that is not built yet."""

    statement: str
    parameters: Parameters
    needs: tuple[str, ...]
    """What waited when it was defined and is named in it."""


@dataclass(frozen=True, slots=True)
class Database:
    """A connection on which tables are built when they are first asked for; it lives as long as that."""

    con: duckdb.DuckDBPyConnection
    waiting: dict[str, Definition] = field(default_factory=dict)
    """By name, in the order in which they were defined."""

    def define(self, *statements: str, **parameters: object) -> None:
        """Keep CREATE statements for when they are needed; parameters are bound by name, as $name, in each of them."""
        for statement in statements:
            created = CREATED.match(statement)
            assert created is not None, statement
            needs = self._named_in(statement)
            self.waiting[created[1]] = Definition(statement=statement, parameters=parameters or None, needs=needs)

    def execute(self, statement: str, parameters: Parameters = None) -> duckdb.DuckDBPyConnection:
        """Run one statement, after building what it names; returns the connection, which holds the rows."""
        for name in self._named_in(statement):
            self.build(name)
        return self.con.execute(statement, parameters)

    def amend(self, statement: str, **parameters: object) -> None:
        """Run an UPDATE; left out where its table waits still, as nothing was put into it."""
        amended = AMENDED.match(statement)
        assert amended is not None, statement
        if amended[1] not in self.waiting:
            self.execute(statement, parameters)

    def build(self, name: str) -> None:
        """Build one, unless it stands; where that fails it goes on waiting, and the next who asks is told as well."""
        definition = self.waiting.get(name)
        if definition is None:
            return  # what was built before it needed it too
        for need in definition.needs:
            self.build(need)
        self.con.execute(definition.statement, definition.parameters)
        del self.waiting[name]

    def _named_in(self, statement: str) -> tuple[str, ...]:
        words = _words(statement)
        return tuple(name for name in self.waiting if name in words)


@lru_cache(maxsize=STATEMENTS)
def _words(statement: str) -> frozenset[str]:
    return frozenset(WORDS.findall(statement))

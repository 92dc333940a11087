"""What does someone need to know of a stack that stands, or of one that was cleared away?

After `harness up`: where everything listens, and which keys and variables a
payment API of one's own must be started with. After `harness rescue`: what was
lifted. Prints to a rich console; nothing is read or asked here.
"""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from harness.stack.standing import Standing
from harness.stack.undo import Rescued


def print_standing(stack: Standing, console: Console, *, fresh: bool) -> None:
    """Print URLs, proxies, keys, and what services of one's own must be given."""
    switched = f", defects {', '.join(stack.asked.defects)}" if stack.asked.defects else ""
    word = "stands" if fresh else "stood already"
    console.print(f"target {escape(stack.target)}, build {escape(stack.asked.build)}{switched}: {word}")
    servers = [("customers' requests", stack.base_url), ("Toxiproxy", stack.toxiproxy), ("PostgreSQL", stack.postgres)]
    _print(console, ("what", "where"), [(what, where) for what, where in servers if where])
    services = [(name, service.url, str(service.pid), service.log) for name, service in sorted(stack.services.items())]
    _print(console, ("service", "past every proxy", "pid", "log"), services)
    edges = [(name, edge.listen, edge.to, edge.upstream, edge.proxy) for name, edge in sorted(stack.edges.items())]
    _print(console, ("edge", "listens at", "leads to", "which is at", "proxy's name"), edges)
    _print(console, ("key", "value"), sorted(stack.secrets.items()))
    for name, environment in sorted(stack.expected.items()):
        console.print(f"\nstart [bold]{escape(name)}[/] yourself, with this environment:")
        for key, value in environment.items():
            console.print(f"  {key}={value}", markup=False, soft_wrap=True)
    console.print("\nend it: harness down")


def print_rescued(rescued: Sequence[Rescued], console: Console) -> None:
    """Print what was lifted, journal by journal, and what could not be."""
    if not any(each.lifted or each.failed for each in rescued):
        console.print("nothing was left to lift")
    for each in rescued:
        owner = "a run that is alive" if each.running else "a run that is gone"
        for line in each.lifted:
            console.print(f"lifted, of {owner}: {line}", markup=False, soft_wrap=True)
        for line in each.failed:
            told = f"NOT lifted, of {owner}: {line}; it stays in {each.journal}, so call `harness rescue` again"
            console.print(told, style="red", markup=False, soft_wrap=True)


def _print(console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    if table.row_count:
        console.print()
        console.print(table)

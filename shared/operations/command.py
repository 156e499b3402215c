"""`tidings events`: looks at deliveries between services and repairs them, on the system that runs or that the settings name."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer

from shared import command, i18n
from shared.command import AsJson, print_json, print_table, say
from shared.db import Transaction
from shared.events import registry
from shared.events.codes import Service
from shared.operations import deciding, deliveries
from shared.trace import Cause

app = typer.Typer(no_args_is_help=True, help="Deliveries between services: see them, redrive, discard or replay them.")

SERVICES = tuple(one.value for one in Service if registry.types_told_by(one) or registry.types_heard_by(one))
"""The services that have deliveries: those that tell or listen today."""

BY = "tidings events"
MOST_LISTED = 100_000  # they are held in memory, those of every service at once
_PARKED = ("event_id", "type", "subject", "state", "behind", "attempts", "next_at", "error")
_TIMES = ["%Y-%m-%dT%H:%M:%S%z"]

OneService = Annotated[str | None, typer.Option("--service", help=f"Only this service: {', '.join(SERVICES)}.")]
Since = Annotated[datetime | None, typer.Option(formats=_TIMES, help="What was told since then, such as 2026-06-16T09:00:00+0200.")]
Until = Annotated[datetime | None, typer.Option(formats=_TIMES, help="… and before then.")]
Limit = Annotated[int, typer.Option(min=1, max=MOST_LISTED, help="How many.")]


@app.command("list")
def list_events(service: OneService = None, limit: Limit = 50, *, as_json: AsJson = False) -> None:
    """Show what was told and taken last."""
    found = command.on_each(service, SERVICES, lambda tx: deliveries.recent(tx, limit))
    rows = [{"service": name, **asdict(one)} for name, recent in found for one in recent]
    rows.sort(key=lambda row: row["time"], reverse=True)
    _show(rows[:limit], ("time", "service", "told", "type", "subject", "state", "event_id"), as_json=as_json)


@app.command()
def parked(service: OneService = None, *, as_json: AsJson = False) -> None:
    """Show what is set aside: waiting for its next try, or dead until a person decides."""
    found = command.on_each(service, SERVICES, deliveries.open_parked)
    rows = [{"service": name, **{column: getattr(row, column) for column in _PARKED}} for name, parked_ in found for row in parked_]
    _show(rows, ("service", *_PARKED), as_json=as_json)


@app.command()
def redrive(
    event_id: Annotated[UUID | None, typer.Argument(help="The event; without one, every dead event.")] = None,
    service: OneService = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Try dead events again now."""

    async def again(tx: Transaction) -> int:
        if event_id is None:
            return await deciding.redrive_all(tx, who=BY, signature=BY, cause=Cause.start())
        return await deciding.redrive(tx, event_id, who=BY, signature=BY, cause=Cause.start())

    found = command.on_each(service, SERVICES, again)
    count = sum(done for _, done in found)
    if event_id is not None and not count:
        raise _not_parked(event_id)
    if as_json:
        print_json({"redriven": count, "services": _where_done(found)})
        return
    say(i18n.translate("en", "staff.command.redriven", n=count))


@app.command()
def discard(
    event_id: UUID,
    reason: Annotated[str, typer.Option(help="Why nobody will need its effect.")],
    service: OneService = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Give one event up for good; the later ones of its subject go on."""
    if not reason.strip():
        raise typer.BadParameter("say why nobody will need its effect", param_hint="--reason")
    found = command.on_each(
        service, SERVICES, lambda tx: deciding.discard(tx, event_id, reason=reason, who=BY, signature=BY, cause=Cause.start())
    )
    if not any(done for _, done in found):
        raise _not_parked(event_id)
    if as_json:
        print_json({"discarded": event_id, "services": _where_done(found)})
        return
    say(f"{event_id} is given up.")


@app.command()
def replay(
    event_ids: Annotated[list[UUID] | None, typer.Argument(help="Events to offer again.")] = None,
    since: Since = None,
    until: Until = None,
    service: OneService = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Offer events to their listeners again; those that have them drop them."""
    wanted = frozenset(event_ids or ())
    told = command.on_each(service, SERVICES, lambda tx: deliveries.told_among(tx, wanted)) if wanted else ()
    if unknown := wanted.difference(*(ids for _, ids in told)):
        raise _not_told(unknown)
    try:
        found = command.on_each(service, SERVICES, lambda tx: deliveries.replay(tx, event_ids=wanted, since=since, until=until))
    except deliveries.ReplayTooWideError as error:
        raise typer.BadParameter(str(error)) from error
    count = sum(done for _, done in found)
    if as_json:
        print_json({"replayed": count, "services": _where_done(found)})
        return
    say(i18n.translate("en", "staff.command.replayed", n=count))


def _where_done(found: Sequence[tuple[str, int]]) -> list[str]:
    return [service for service, done in found if done]


def _not_told(event_ids: Collection[UUID]) -> typer.Exit:
    named = ", ".join(sorted(map(str, event_ids)))
    return command.fail(i18n.translate("en", "staff.command.not-told", ids=named))


def _not_parked(event_id: UUID) -> typer.Exit:
    return command.fail(f"No event {event_id} is set aside. `tidings events parked` shows those that are.")


def _show(rows: Sequence[dict[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        print_json(rows)
        return
    print_table(columns, [{column: _cell(row[column]) for column in columns} for row in rows])


def _cell(value: object) -> str:
    return value.isoformat(timespec="seconds") if isinstance(value, datetime) else str(value)[:80]

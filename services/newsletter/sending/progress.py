"""How far a sending has come: for a page and for the terminal."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import text

from services.newsletter.sending import issues
from services.newsletter.sending.rules import Standing
from shared.db import Transaction

# Minutes over which the speed is taken: shorter ones jump, longer ones lag behind.
SPEED_MINUTES = 1


async def progress(tx: Transaction, issue_id: UUID) -> Mapping[str, Any] | None:
    """Return what a page shows of a sending, ready for JSON; None for an issue that is not to be sent.

    `standing` are counts of one query, with `waiting` and whether the equation `holds`; `per_second` is the speed of the last minute;
    `seconds_left` is an estimate, None while nothing moves; `senders` are those that live; `slow` are ways that rest, with the
    server's words; `slowed` says both what a sender cannot do and what rests, line by line; `uncertain_by` says why rows are uncertain.
    """
    standing = await issues.standing(tx, issue_id)
    if standing is None:
        return None
    ended = text("""
        SELECT count(*) FROM audience
        WHERE issue_id = :issue AND state IN ('accepted', 'refused') AND ended_at > now() - make_interval(mins => :minutes)
    """)
    recent = int((await tx.execute(ended, {"issue": issue_id, "minutes": SPEED_MINUTES})).scalar_one())
    per_second = recent / (60 * SPEED_MINUTES)
    senders = await tx.execute(
        text("SELECT name, connections, trouble, began_at, seen_at FROM senders WHERE seen_at > now() - interval '1 minute' ORDER BY 4")
    )
    slow = await tx.execute(text("SELECT way, until, because FROM slow_ways WHERE until > now() ORDER BY way"))
    living, resting = [dict(row) for row in senders.mappings()], [dict(row) for row in slow.mappings()]
    why = await tx.execute(
        text("SELECT reason, count(*) AS rows FROM audience WHERE issue_id = :issue AND state = 'uncertain' GROUP BY 1 ORDER BY 1"),
        {"issue": issue_id},
    )
    return {
        "standing": asdict(standing) | {"issue_id": str(standing.issue_id), "waiting": standing.waiting, "holds": standing.holds},
        "per_second": round(per_second, 1),
        "seconds_left": round((standing.planned + standing.in_hand) / per_second) if per_second else None,
        "senders": living,
        "slow": resting,
        "slowed": [
            *(f"{one['name']}: {one['trouble']}" for one in living if one["trouble"]),
            *(f"{one['way']}: {one['because']}" for one in resting),
        ],
        "uncertain_by": {row.reason: row.rows for row in why},
    }


def line(standing: Standing) -> str:
    """Return one line for the terminal, of names and numbers."""
    done = standing.audience - standing.waiting
    share = 100 * done / standing.audience if standing.audience else 100.0
    parts = {
        "accepted": standing.accepted,
        "refused": standing.refused,
        "excluded": standing.excluded,
        "uncertain": standing.uncertain,
        "waiting": standing.waiting,
    }
    counts = " + ".join(f"{name} {count}" for name, count in parts.items())
    return f"{share:5.1f} %  audience {standing.audience} {'=' if standing.holds else '≠'} {counts}  ({standing.state.value})"

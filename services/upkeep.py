"""What looks after a system as a whole and asks each owner for its part: the doctor, backups, and what follows a restore."""

from collections.abc import Mapping

from services.demo.inbox.server import inbox_wanted
from services.desk import restoring as desk_restoring
from services.newsletter import examining as newsletter_examining
from services.newsletter import restoring as newsletter_restoring
from services.owners import OWNERS
from services.social import examining as social_examining
from services.social import restoring as social_restoring
from shared.backup.command import backup_command, restore_command
from shared.backup.held import AfterRestore, nothing_leaves
from shared.doctor.command import doctor_command

AFTER_RESTORE: Mapping[str, AfterRestore] = {
    "desk": desk_restoring.end_sessions,
    "intake": nothing_leaves,
    "pledges": nothing_leaves,
    "newsletter": newsletter_restoring.hold_everything,
    "social": social_restoring.hold_everything,
    "calendar": nothing_leaves,
}
"""What each owner does to its restored tables before anybody sees them."""

UNDECIDED = (
    *(("newsletter", one) for one in newsletter_examining.UNDECIDED),
    *(("social", one) for one in social_examining.UNDECIDED),
)
"""What waits for a person's word in tables of services' own."""

doctor = doctor_command(OWNERS, social_examining.questions, UNDECIDED, inbox_wanted)
backup = backup_command(OWNERS)
restore = restore_command(AFTER_RESTORE)

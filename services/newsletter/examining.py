"""What of the newsletter waits for a person's word, for the doctor."""

from shared.doctor.undecided import Undecided

UNDECIDED = (
    Undecided(
        table="sends",
        where="state = 'held'",
        what="issues are held",
        do="An approver says on the issue's page of sending whether each goes on; see docs/do/issue-does-not-leave.md.",
    ),
    Undecided(
        table="audience",
        where="state = 'uncertain' AND ended_at > now() - interval '35 days'",
        what="copies of issues are uncertain, and not sent again",
        do="Settle them by the mail server's log: `tidings reconcile FILE`.",
    ),
)

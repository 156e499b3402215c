"""What an operator asks of the networks: whose keys are these, and does the network take them? Nothing is posted."""

from collections.abc import Sequence

from services.social.app import x_account
from services.social.domain.deliveries import Pace
from services.social.networks.x.client import AskedError, X
from shared.doctor.findings import Finding, Question, ok, warning, wrong
from shared.doctor.undecided import Undecided
from shared.settings import Settings

PART = "networks"
UNDECIDED = (
    Undecided(
        table="deliveries",
        where="state = 'waiting'",
        what="posts wait for a person",
        do="Whoever drafts says at /social/deliveries what becomes of each; see docs/do/posts-wait.md.",
    ),
)


def questions(settings: Settings) -> Sequence[Question]:
    """Return what is to be asked of each network that posts go to."""
    do = "Does this machine reach it, and is TIDINGS_X_API_URL right?"
    return [Question(part=PART, what="X", ask=lambda: _x(settings), do=do)]


async def _x(settings: Settings) -> Sequence[Finding]:
    account = x_account(settings)
    if account is None and settings.networks == "sandbox":
        do = "Set TIDINGS_NETWORKS=live and the account's four TIDINGS_X_*, once posts should go out; see docs/do/rehearse-posts.md."
        return [warning(PART, "X", "posts go to a sandbox where `tidings all` brings one along, and wait elsewhere", do)]
    if account is None:
        do = "Set TIDINGS_X_CONSUMER_KEY, …_CONSUMER_SECRET, …_ACCESS_TOKEN and …_ACCESS_TOKEN_SECRET; see docs/do/rehearse-posts.md."
        return [warning(PART, "X", "no account is set up; posts wait", do)]
    try:
        name = await X(account, Pace()).who()
    except AskedError as error:
        if error.status in {401, 403}:
            do = "Make new keys and tokens in the account's developer portal, with the right to write, and set the four TIDINGS_X_*."
            return [wrong(PART, "X", f"it refuses the keys ({error.status})", do)]
        if error.status == 429:
            return [warning(PART, "X", "it asks for a pause (429)", "Ask again in a quarter of an hour.")]
        return [wrong(PART, "X", str(error), "Does this machine reach it? Posts wait meanwhile.")]
    return [ok(PART, "X", f"it knows us as @{name}")]

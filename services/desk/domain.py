"""The rules of the desk: who may sign in, for how long, what a change of a person means for their
tokens, and the ways by which the public takes part. No I/O."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.auth.tokens import Person
from shared.events.codes import LANGUAGES, Language, Role
from shared.events.desk import PersonChanged
from shared.events.every import DecisionMade
from shared.events.texts import LINE_LENGTH

TOKEN_LASTS = timedelta(minutes=15)
"""Of a browser's token. The longest that a disabled person stays in should no event come through."""
SESSION_RESTS = timedelta(hours=12)
"""A session ends when it was not used for so long: who comes back the next morning asks for a link again."""
SESSION_LASTS = timedelta(days=7)
"""… and at the latest after so long, however much it was used."""
LINK_LASTS = timedelta(minutes=15)
"""Of a link that a person asked for."""
PRINTED_LINK_LASTS = timedelta(hours=24)
"""Of a link that a command printed, for somebody to hand over."""
API_TOKEN_DAYS = 90
API_TOKEN_DAYS_MAX = 366
_SECRET_BYTES = 32


class DeskError(Exception):
    """Something that the desk was asked to do cannot be done."""


class UnknownPersonError(DeskError):
    """Nobody has this mail address or id here; `tidings person add` makes a person."""


class DisabledError(DeskError):
    """This person may not sign in; an admin can enable them on the page of people."""


class MailTakenError(DeskError):
    """Somebody has this mail address already; change that person instead, or print a new link by `tidings person link`."""


class LastAdminError(DeskError):
    """This is the last person who may manage people; give somebody else the role of admin first."""


class NoRoleError(DeskError):
    """A person without a role could not open anything; give one role at least, or disable the person."""


class LinkOverError(DeskError):
    """This link was used before, is too old, or was never ours; ask for a new one."""


@dataclass(frozen=True, kw_only=True)
class StoredPerson:
    """A person who works here, as desk keeps them."""

    id: str
    mail: str  # in lower case
    name: str
    roles: tuple[Role, ...]
    languages: tuple[Language, ...]
    active: bool
    demo: bool  # made for a trial on one's own machine
    tokens_valid_from: datetime
    revision: int
    made_at: datetime
    signed_in_at: datetime | None  # the last time

    @property
    def as_person(self) -> Person:
        """What their tokens say."""
        return Person(id=self.id, name=self.name, roles=frozenset(self.roles), languages=self.languages)

    @property
    def is_admin(self) -> bool:
        """Whether they may manage people today."""
        return self.active and Role.ADMIN in self.roles


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What somebody wants a person to be; None leaves it as it is."""

    name: str | None = None
    roles: tuple[Role, ...] | None = None
    languages: tuple[Language, ...] | None = None
    active: bool | None = None


@dataclass(frozen=True, kw_only=True)
class Change:
    """A person as they will be, and what follows from it."""

    after: StoredPerson
    changed: bool
    cuts_off: bool  # tokens made before now are void
    signs_out: bool  # sessions and links end too; otherwise the next token is fetched without signing in again


def change(before: StoredPerson, wish: Wish, *, now: datetime, other_admins: int) -> Change:
    """Return what a wish makes of a person; raises NoRoleError, and LastAdminError where nobody could manage people any more.

    A role that is lost cuts off at once every token that still names it. A role that is gained comes with the next token.
    """
    roles = before.roles if wish.roles is None else in_order(wish.roles)
    active = before.active if wish.active is None else wish.active
    if not roles:
        raise NoRoleError(NoRoleError.__doc__)
    lost = set(before.roles) - set(roles)
    signs_out = before.active and not active
    cuts_off = bool(lost) or signs_out
    after = StoredPerson(
        id=before.id,
        mail=before.mail,
        name=before.name if wish.name is None else wish.name,
        roles=roles,
        languages=before.languages if wish.languages is None else languages_in_order(wish.languages),
        active=active,
        demo=before.demo,
        tokens_valid_from=now if cuts_off else before.tokens_valid_from,
        revision=before.revision,
        made_at=before.made_at,
        signed_in_at=before.signed_in_at,
    )
    if before.is_admin and not after.is_admin and not other_admins:
        raise LastAdminError(LastAdminError.__doc__)
    return Change(after=after, changed=after != before, cuts_off=cuts_off, signs_out=signs_out)


def person_changed(person: StoredPerson) -> PersonChanged:
    """Return what the other services are told of a person; never the mail address."""
    return PersonChanged(
        id=person.id,
        name=person.name,
        roles=person.roles,
        languages=person.languages,
        active=person.active,
        tokens_valid_from=person.tokens_valid_from,
    )


def person_decided(person: StoredPerson, *, who: str, what: str, page: str | None = None) -> DecisionMade:
    """Return what the audit trail is told of a decision about a person; `who` is the admin's id, or the command that was run."""
    roles = ", ".join(person.roles)
    return DecisionMade(who=who, what=what, about="person", title={"en": f"{person.name}: {roles}"[:LINE_LENGTH]}, address=page)


def in_order(roles: Iterable[Role]) -> tuple[Role, ...]:
    """Return roles in their own order, each once."""
    given = set(roles)
    return tuple(role for role in Role if role in given)


def languages_in_order(languages: Iterable[Language]) -> tuple[Language, ...]:
    """Return languages in their own order, each once."""
    given = set(languages)
    return tuple(language for language in LANGUAGES if language in given)


# ---- secrets ----


@dataclass(frozen=True, kw_only=True)
class Secret:
    """Something that only its holder knows: a link's last part, or what a session's cookie holds."""

    text: str = field(repr=False)

    @classmethod
    def new(cls) -> "Secret":
        """Return a secret that nobody can guess."""
        return cls(text=secrets.token_urlsafe(_SECRET_BYTES))

    @property
    def hash(self) -> bytes:
        """All that is kept of it. It is random through and through, so a plain hash can no more be reversed than it can be guessed."""
        return hashlib.sha256(self.text.encode("utf-8", "surrogatepass")).digest()


def session_is_over(began_at: datetime, used_at: datetime, now: datetime) -> bool:
    """Say whether a session gives no more tokens."""
    return now - used_at > SESSION_RESTS or now - began_at > SESSION_LASTS


# ---- taking part ----

NOT_STATED = "Not stated in the source."
"""What the overview of initiatives says where it says nothing."""


class Way(StrEnum):
    """The way into an initiative that this site offers."""

    PLEDGE = "pledge"
    UPDATE = "update"  # of a pledge, by a link that is mailed to its owner
    PRACTICE = "practice"
    TALK = "talk"
    NEWS = "news"  # statements, press releases, blog articles
    CONTRIBUTION = "contribution"  # to the next bulletin
    PROMOTION = "promotion"  # on the Network's social media
    DATE = "date"
    SUBSCRIBE = "subscribe"  # to the bulletin
    ENQUIRY = "enquiry"  # which reaches the people of the initiative

    def address(self, initiative: str) -> str:
        """Return where this way begins."""
        if self is Way.UPDATE:
            return "/pledges/update"
        if self is Way.SUBSCRIBE:
            return "/newsletter/subscribe"
        asked = f"?initiative={initiative}" if self is Way.ENQUIRY else ""
        return f"/intake/submit/{self.value}{asked}"

    @property
    def has_contact(self) -> bool:
        """Whether the form asks for somebody to write back to."""
        return self not in {Way.UPDATE, Way.SUBSCRIBE}


_WAYS: Mapping[str, Way] = {
    "pledging": Way.PLEDGE,
    "pledge-update": Way.UPDATE,
    "hub-practices": Way.PRACTICE,
    "gcm-talks": Way.TALK,
    "statements-press-releases": Way.NEWS,
    "blog-series": Way.NEWS,
    "newsletter": Way.SUBSCRIBE,
    "newsletter-contribution": Way.CONTRIBUTION,
    "social-promotion": Way.PROMOTION,
    "calendar": Way.DATE,
}


def way_into(initiative: str) -> Way:
    """Return the way into an initiative; one without a form of its own is asked about."""
    return _WAYS.get(initiative, Way.ENQUIRY)

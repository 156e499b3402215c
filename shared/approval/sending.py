"""The question before anything leaves: is this, to the letter, what another person approved?"""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from shared import clock
from shared.approval import store
from shared.approval.content import Change, Content, Fingerprint, How, digest, fingerprint
from shared.approval.rules import ApprovalError, Standing, State
from shared.db import Transaction


class NotApprovedError(ApprovalError):
    """This is not approved, so it does not leave; submit it and have another person approve it."""

    slug = "approval-not-approved"

    def __init__(self, state: State) -> None:
        super().__init__(f"{self.__doc__} It is {state.value}.", state=state.value)
        self.state = state


class OtherThanApprovedError(ApprovalError):
    """What is about to leave is not what was approved, so it does not; submit it as it is now and have it approved again."""

    slug = "approval-other-than-approved"

    def __init__(self, changes: tuple[Change, ...]) -> None:
        named = ", ".join(f"{change.variant} ({change.how})" for change in changes)
        super().__init__(f"{self.__doc__} Different: {named}.", changes={change.variant: change.how.value for change in changes})
        self.changes = changes


async def approved_hash(tx: Transaction, about: str, item: UUID) -> str | None:
    """Return the SHA-256 of the whole content that may leave now; None where none may."""
    approved = _in_time(await store.find(tx, about, item)).approved
    return approved.whole if approved else None


async def check(tx: Transaction, about: str, item: UUID, content: Content) -> Fingerprint:
    """Return the fingerprint of `content` where it is, whole and to the letter, what is approved.

    Nobody can void the approval until `tx` ends: commit with it the row that says that sending has begun. Raises NotApprovedError
    or OtherThanApprovedError, and ContentError for content without a canonical form.
    """
    approved = await _approved(tx, about, item)
    if changes := approved.changes_to(fingerprint(content)):
        raise OtherThanApprovedError(changes)
    return approved


async def check_variant(tx: Transaction, about: str, item: UUID, name: str, variant: Mapping[str, Any]) -> str:
    """Return the SHA-256 of one variant where it is what is approved under its name: for a sender of one language or network.

    Otherwise as `check`.
    """
    approved = (await _approved(tx, about, item)).variants.get(name)
    if approved is None:
        raise OtherThanApprovedError((Change(variant=name, how=How.ADDED),))
    if digest(variant) != approved:
        raise OtherThanApprovedError((Change(variant=name, how=How.CHANGED),))
    return approved


async def is_approved(tx: Transaction, about: str, item: UUID, name: str, variant: Mapping[str, Any]) -> bool:
    """Say whether one variant is what is approved now, for a first look before anything is prepared.

    It holds nobody up, and so decides nothing: `check_variant` does, in the transaction in which sending begins. Raises ContentError.
    """
    approved = _in_time(await store.find(tx, about, item)).approved
    return approved is not None and approved.variants.get(name) == digest(variant)


async def _approved(tx: Transaction, about: str, item: UUID) -> Fingerprint:
    standing = _in_time(await store.find(tx, about, item, share=True))
    if standing.approved is None:
        raise NotApprovedError(standing.state)
    return standing.approved


def _in_time(standing: Standing) -> Standing:
    """Return where an item stands once its time is looked at; the job that writes it down may be late."""
    if standing.expires_at is not None and standing.expires_at <= clock.now() and standing.state is State.APPROVED:
        return Standing(state=State.EXPIRED)
    return standing

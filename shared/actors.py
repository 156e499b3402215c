"""Who acts: a person as the token says, never as an event or a form says."""

from typing import Protocol

from shared.events.codes import Role


class Actor(Protocol):
    """A person at a door: whoever is signed in, or a program of theirs."""

    @property
    def id(self) -> str:
        """The person's id as desk writes it; two spellings would be two persons, so only a token that desk signed gives it."""

    def holds(self, *roles: Role) -> bool:
        """Say whether the person holds one of these roles."""

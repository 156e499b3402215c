"""Who acts: a person as the token says, never as an event or a form says."""

from dataclasses import dataclass

from shared.events.codes import Role


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person at a door."""

    id: str  # as desk writes it; two spellings would be two persons, so only a token that desk signed gives it
    roles: frozenset[Role]

    def has(self, *roles: Role) -> bool:
        """Say whether the person has one of these roles."""
        return not self.roles.isdisjoint(roles)

"""People for tests."""

from dataclasses import dataclass

from shared.events.codes import Role


@dataclass(frozen=True, kw_only=True)
class Actor:
    """A person with roles."""

    id: str
    roles: frozenset[Role]

    def holds(self, *roles: Role) -> bool:
        """Say whether the person holds one of these roles."""
        return not self.roles.isdisjoint(roles)

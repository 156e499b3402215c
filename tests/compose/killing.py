"""Containers that lose their process one after the other, and when each was at its work again."""

import time
from collections.abc import Mapping, Sequence

from tests.compose.system import Compose, until


class Killing:
    """Kills a container of each service; each may still be starting when the next one goes, and all are waited for at once."""

    def __init__(self, system: Compose, services: Sequence[str]) -> None:
        self._system = system
        self._containers = {service: system.containers(service)[0] for service in services}
        self._before = system.states(self._containers.values())
        self._killed_at: dict[str, float] = {}
        self.back: dict[str, float] = {}  # service -> seconds from its SIGKILL until it was healthy again

    def kill(self, service: str) -> None:
        """End a service's process by SIGKILL; it runs again when this returns."""
        self._killed_at[service] = time.monotonic()
        self._system.kill(self._containers[service])
        until(lambda: service in self._started_anew(), f"{service} runs again after SIGKILL")

    def until_all_are_well(self) -> None:
        """Return once all that were killed are healthy at the same time."""
        until(lambda: sum(self._started_anew().values()) == len(self._killed_at), lambda: f"all well after SIGKILL; were: {self.back}")

    def _started_anew(self) -> Mapping[str, bool]:
        """Return the killed that run again, each with whether it is healthy; when each was so first is kept."""
        states, found = self._system.states(self._containers.values()), {}
        for service, killed_at in self._killed_at.items():
            container = self._containers[service]
            state = states[container]
            if state.running and state.started_at != self._before[container].started_at:
                found[service] = state.healthy
                if state.healthy:
                    self.back.setdefault(service, time.monotonic() - killed_at)
        return found

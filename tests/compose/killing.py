"""Containers that lose their process one after the other, and when each was at its work again."""

import time
from collections.abc import Mapping, Sequence
from functools import partial

from tests.compose.system import Compose, until


class Killing:
    """Kills every container of each service; each may still be starting when the next one goes, and all are waited for at once."""

    def __init__(self, system: Compose, services: Sequence[str]) -> None:
        self._system = system
        self._of = {service: _named(service, system.containers(service)) for service in services}
        self._containers = {name: container for of_service in self._of.values() for name, container in of_service.items()}
        self._before = system.states(self._containers.values())
        self._killed_at: dict[str, float] = {}
        self.back: dict[str, float] = {}  # container by name -> seconds from its SIGKILL until it was healthy again

    def kill(self, service: str) -> None:
        """End a service's processes by SIGKILL, one after the other; each runs again before the next one goes."""
        for name, container in self._of[service].items():
            self._killed_at[name] = time.monotonic()
            self._system.kill(container)
            until(partial(self._runs_again, name), f"{name} runs again after SIGKILL")

    def _runs_again(self, name: str) -> bool:
        return name in self._started_anew()

    def until_all_are_well(self) -> None:
        """Return once all that were killed are healthy at the same time."""
        until(lambda: sum(self._started_anew().values()) == len(self._killed_at), lambda: f"all well after SIGKILL; were: {self.back}")

    def _started_anew(self) -> Mapping[str, bool]:
        """Return the killed that run again, each with whether it is healthy; when each was so first is kept."""
        states, found = self._system.states(self._containers.values()), {}
        for name, killed_at in self._killed_at.items():
            container = self._containers[name]
            state = states[container]
            if state.running and state.started_at != self._before[container].started_at:
                found[name] = state.healthy
                if state.healthy:
                    self.back.setdefault(name, time.monotonic() - killed_at)
        return found


def _named(service: str, containers: Sequence[str]) -> Mapping[str, str]:
    """Return a service's containers under names for people: `desk`, or `intake 1` and `intake 2`."""
    if len(containers) == 1:
        return {service: containers[0]}
    return {f"{service} {number}": container for number, container in enumerate(containers, 1)}

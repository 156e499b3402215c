"""What a pause covers: everything, one sender, or one network of social media. No I/O."""

from shared.events.codes import Network, Service

ALL = "all"


def covering(scope: str) -> tuple[str, ...]:
    """Return the scopes whose pause also pauses this one, widest first: `social/x` is covered by `all`, `social` and itself."""
    head, slash, _ = scope.partition("/")
    wider = (ALL,) if scope == ALL else (ALL, head)
    return (*wider, scope) if slash else wider


def concerns(service: Service, scope: str) -> bool:
    """Say whether a pause of this scope is this sender's business."""
    return scope == ALL or scope.partition("/")[0] == service.value


def scopes_of(service: Service) -> tuple[str, ...]:
    """Return the scopes that a sender has of its own, widest first."""
    networks = [f"{service.value}/{network.value}" for network in Network] if service is Service.SOCIAL else []
    return (service.value, *networks)

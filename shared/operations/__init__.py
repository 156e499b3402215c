"""How a service's share of the wire stands, and how it is repaired: the same pages, JSON and queries for every service.

`web.router` gives the staff pages, `deliveries` what the command line needs too, `story` what a service knows of one event.
"""

from shared.events.codes import Service


def base_of(service: str) -> str:
    """Return the path below which a service's operations and stories stand.

    The desk's `/desk/operations` and `/desk/events/{id}` gather those of all services, so its own stand one step further in.
    """
    return "/desk/own" if service == Service.DESK else f"/{service}"

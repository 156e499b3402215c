"""How a service's share of the wire stands, and how it is repaired: the same pages, JSON and queries for every service.

`web.router` gives the staff pages, `deliveries` what the command line needs too, `story` what a service knows of one event.
"""

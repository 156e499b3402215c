"""What the pages of every service share: templates and their look, answers to faults, and what keeps pages safe.

`wiring.install` puts it all on a service's app; nothing here knows a noun of one service.
"""

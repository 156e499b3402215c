"""The register of pledges.

Owns: the review of pledges; the public register with its numbers, its pages, its history and its open data; what owners report,
and what shows it; the dashboard; the champions.
Listens to: pledges and reports that came in at the door.
Tells: which pledges stand, how far they have come, which were withdrawn; what was decided on what came in; what awaits the moderators.
Needs: PostgreSQL, Kafka, the data keys (contacts are kept encrypted), a mail server.
"""

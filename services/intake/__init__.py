"""The door.

Owns: partners and their keys; the receipt and tracking page of every kind of submission; the review of practices and their public
pages; the catalogue of what the door takes.
Listens to: decisions on what other services review (pledges, dates), to show them on the tracking page.
Tells: what came in, which practices are published or withdrawn, and who decided so; what awaits the moderators.
Needs: PostgreSQL, Kafka, the data keys (partner keys, contacts and raw requests are kept encrypted).
"""

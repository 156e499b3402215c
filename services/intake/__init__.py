"""The door.

Owns: partners and their keys; the receipt and tracking page of every kind of submission; the review of practices, GCM
Talks, news, contributions and requests for promotion, and the public pages of what is published; the catalogue of what the door takes.
Listens to: decisions on what other services review (pledges, dates), pledges that are withdrawn, and what issues, posts and dates
followed, to show them on the tracking page.
Tells: what came in; what of it is published, corrected, moved, cancelled, held, withdrawn, and who decided so; what awaits the moderators.
Needs: PostgreSQL, Kafka, the data keys (partner keys, contacts and raw requests are kept encrypted).
"""

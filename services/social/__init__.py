"""Social media.

Owns: drafts of posts; deliveries, each one post on one network in one language, with every attempt to send it.
Listens to: what is published and may be worth a post (practices, for now).
Tells: that a post stands on a network, or that it does not and why.
Needs: PostgreSQL, Kafka, the networks.
"""

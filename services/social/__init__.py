"""Social media.

Owns: drafts of posts; deliveries, each one post on one network in one language, with every attempt to send it; their pauses.
Listens to: what is published and may be worth a post (practices, pledges and their fulfilment, Talks and what came of them, texts, dates,
deadlines that come near, requests for promotion, the bulletin); blackouts and embargoes of the calendar; what desk pauses and resumes.
Tells: that a post stands on a network, or that it does not and why; that they have paused or resumed.
Needs: PostgreSQL, Kafka, the networks.
"""

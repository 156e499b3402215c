"""The desk: where the team begins.

Owns: people, their roles, sign-in links and sessions; the start page, the page that gathers the operations of all services, the
catalogue of events, the story of one thing.
Listens to: nothing yet.
Tells: who is who, and from when on older tokens are void.
Needs: PostgreSQL, Kafka, the key that signs tokens; a browser in front of its gathering pages, which asks the other services itself.
"""

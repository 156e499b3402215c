"""Social media.

Owns: drafts of posts.
Listens to: what is published and may be worth a post (practices, for now).
Tells: nothing yet.
Needs: PostgreSQL, Kafka.
"""

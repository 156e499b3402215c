"""Social media.

Owns: drafts of posts; their pauses.
Listens to: what is published and may be worth a post (practices, for now); what desk pauses and resumes.
Tells: that they have paused or resumed.
Needs: PostgreSQL, Kafka.
"""

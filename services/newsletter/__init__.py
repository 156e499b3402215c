"""The newsletter.

Owns: the pool of items that a monthly issue is made from; subscribers; the sending of an issue, with its ledger; its pauses; the
public archive of what was sent.
Listens to: what is published and may be worth a reader's time (practices, for now); what desk pauses and resumes.
Tells: that it has paused or resumed.
Needs: PostgreSQL, Kafka, a mail server (SMTP).
"""

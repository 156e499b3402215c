"""The newsletter.

Owns: the pool of items that a monthly issue is made from; subscribers, with the receipts of their consent; the sending of an issue, with
its ledger; its pauses.
Listens to: what is published and may be worth a reader's time (practices, for now); what desk pauses and resumes.
Tells: that it has paused or resumed; what a person decided about a subscriber.
Needs: PostgreSQL, Kafka, a mail server (SMTP).
"""

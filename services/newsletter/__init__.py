"""The newsletter.

Owns: the pool of items that a monthly issue is made from; issues with their rule, days, blocks and approvals; subscribers, with the
receipts of their consent; the sending of an issue, with its ledger; its pauses; the public archive of what was sent.
Listens to: what is published and may be worth a reader's time (practices, pledges and their fulfilment, Talks and what came of them, texts,
contributions, dates, deadlines that come near); blackouts and embargoes of the calendar; what desk pauses and resumes.
Tells: that an issue is approved and when it will go, that it is sent and what became of its mails; what awaits people and what they
decided, about issues and about subscribers; that it has paused or resumed.
Needs: PostgreSQL, Kafka, a mail server (SMTP).
"""

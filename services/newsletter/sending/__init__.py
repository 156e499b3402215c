"""Sending an issue, with a ledger that says of every subscriber what became of their copy.

A row of the audience goes from planned to claimed (a sender has it in hand), to started (durable before the message's first byte leaves)
and to accepted, deferred, refused or uncertain. A sender that dies leaves claimed rows, which others take again, and started rows, which
become uncertain and are never sent again by themselves. Between the last line of a message and the server's answer nobody can know
whether the mail was taken (RFC 1047); the ledger keeps that to one row at most for each connection of a sender that is killed.
"""

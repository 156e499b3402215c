"""One-off mails: put in the transaction that decided them, handed over by a job, never twice.

A row is `waiting` until right before the first byte of its message leaves; then it is `started`, durably. What the server answered
makes it `accepted`, `refused`, or `waiting` again for a later try. Where nobody can know, it is `uncertain` and stays so: a person
who misses a sign-in link or a confirmation asks for another. One that is too late is `expired` and was not sent. After a
restore, what may have left before it is `held` until a person releases or drops it (`holding`).
"""

"""The two-person rule: what the Network says in its own name leaves only as another person has approved it, to the letter.

`content` makes the bytes and hashes that an approval is bound to; `rules` decides, without I/O; `store` keeps where each item stands
and every step that led there. Three ways in, each on a transaction of the caller: `deciding` for a person's word, `editing` for what
changes or ends by itself, `sending` for the question before anything leaves. `telling` puts what follows into the outbox.
"""

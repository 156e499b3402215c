"""Everything between a reader and the newsletter: signing up, preferences, leaving, erasure, imports, and the receipts of all of it.

Whoever asks at a public form is only a stranger who typed an address. So the form keeps every wish alike and answers the same; what it
leads to is decided afterwards, and reaches nobody but the owner of the address, by mail. Only the link in that mail acts.
"""

"""What an operator asks first: is everything as it must be, and where it is not, what is to be done.

Nothing here changes anything, sends a mail or a post, or says a secret. Every question has its time, so that whatever hangs is named
and holds up no other answer.
"""

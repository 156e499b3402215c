"""X, through tweepy and its own addresses for pictures.

X has no key by which a repeated request would be known. What protects from a second post: an attempt is durable before it begins, X's own
timeline is read when its end is unknown, and X refuses the same text a second time (403).
"""

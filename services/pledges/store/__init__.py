"""Tables and queries of the register, as functions on a transaction."""

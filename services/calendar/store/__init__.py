"""Tables and queries of the calendar, as functions on a transaction."""

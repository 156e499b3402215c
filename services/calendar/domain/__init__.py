"""The rules of the calendar; no I/O."""

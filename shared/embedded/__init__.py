"""PostgreSQL and Kafka without installing either: real servers out of Python wheels, for `tidings all` and for tests.

Production, compose and the tests in `tests/live` and `tests/faults` use servers of their own. Nothing here is needed there, and
nothing here is imported before someone asks for an embedded part.
"""

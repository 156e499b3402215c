"""Requests in: pages, feeds and JSON of the calendar."""

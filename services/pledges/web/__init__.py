"""Requests in: pages and JSON of the register."""

"""Requests in: the webhook door, the public pages and forms, and the pages of the team."""

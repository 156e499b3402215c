"""Requests in: the pages of social media, as the team sees them."""

"""Tables and queries of social media, as functions on a transaction."""

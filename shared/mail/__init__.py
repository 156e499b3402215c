"""Mails: how they are made, signed, queued and handed to the mail server."""

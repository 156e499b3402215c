"""Requests in: signing in and out, people, and the pages that gather in the browser what each service knows."""

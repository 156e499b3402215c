"""Requests in: signing in and out, what awaits whom, people, and the pages that gather in the browser what each service knows."""

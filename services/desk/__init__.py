"""The desk: where the team begins.

Owns: the start page, the page that gathers the operations of all services, the catalogue of events, the story of one thing. It keeps
nothing yet.
Listens to: nothing yet.
Tells: nothing yet.
Needs: nothing but a browser in front of it, which asks the other services itself.
"""

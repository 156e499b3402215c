"""The published language: every event that one service tells another, and every kind that comes in at the door.

Nothing else of ours is imported here, so that each service may build on it and it builds on none.

- `base` holds what all events have in common, `codes` the closed sets of words, `texts` and `times` the values they are made of.
- `intake`, `pledges`, `calendar`, `newsletter`, `social`, `desk`: the events that this one service tells; `every`: those that several tell.
- `registry` knows them all: who tells, who listens, on which topic, and what is not built yet.
- `kinds` holds one model for each kind that can be submitted; door, form, import and reviewing service all use it.
- `samples` keeps one stored example of each version, which must stay readable.
- `catalogue` writes docs/events.md and docs/asyncapi.json.
"""

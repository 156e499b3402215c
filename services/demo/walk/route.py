"""The route of the walk, from the first step to the last."""

from services.demo.walk import dates, incoming, outgoing, register
from services.demo.walk.walk import Walk

PRACTICE, TALK, PLEDGE = "a practice", "a GCM Talk", "a pledge"
KINDS = ("practice.submitted", "talk.requested", "pledge.submitted")


def walk_all(walk: Walk) -> None:
    """Make every step; raises WalkError at the first that does not hold."""
    incoming.enter(walk)
    incoming.make_partner(walk)
    outgoing.subscribe(walk)
    walk.found["owner"] = f"owner-{walk.mark}@example.org"
    practice = incoming.send(walk, "practice.submitted", PRACTICE)
    talk = incoming.send(walk, "talk.requested", TALK, when=dates.days_ahead(30))
    owner = {"name": "Owner of the walk", "mail": walk.found["owner"]}
    pledge = incoming.send(walk, "pledge.submitted", PLEDGE, contact=owner)
    dates.enter(walk)
    incoming.review(walk, "practice", PRACTICE, practice, question="Since when has it been open, and in how many languages?")
    incoming.review(walk, "talk", TALK, talk)
    incoming.review(walk, "pledge", PLEDGE, pledge)
    titles = [walk.found[f"{kind} title"] for kind in KINDS]
    outgoing.cut_issue(walk, titles)
    outgoing.release_issue(walk)
    for what, title in zip((PRACTICE, TALK, PLEDGE), titles, strict=True):
        outgoing.post(walk, what, title)
    register.report(walk)
    outgoing.read_mail(walk, titles)
    dates.find_in_feed(walk)
    outgoing.find_on_front(walk, titles)

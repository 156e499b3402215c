"""The route of the walk, from the first step to the last."""

from services.demo.walk import incoming, outgoing
from services.demo.walk.walk import Walk

PRACTICE, TALK = "a practice", "a GCM Talk"


def walk_all(walk: Walk) -> None:
    """Make every step; raises WalkError at the first that does not hold."""
    incoming.enter(walk)
    incoming.make_partner(walk)
    outgoing.subscribe(walk)
    practice = incoming.send(walk, "practice.submitted", PRACTICE)
    talk = incoming.send(walk, "talk.requested", TALK)
    incoming.review(walk, "practice", PRACTICE, practice)
    incoming.review(walk, "talk", TALK, talk)
    titles = {kind: walk.found[f"{kind} title"] for kind in ("practice.submitted", "talk.requested")}
    wanted = [titles["practice.submitted"]]
    outgoing.cut_issue(walk, wanted)
    outgoing.release_issue(walk)
    outgoing.post(walk, PRACTICE, titles["practice.submitted"])
    outgoing.read_mail(walk, wanted)
    outgoing.find_on_front(walk, list(titles.values()))

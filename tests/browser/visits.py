"""Which pages there are, and by which real thing each is reached: a page without a row here fails `test_every_page`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

OPERATED = ("/desk/own", "/intake", "/pledges", "/newsletter", "/social", "/calendar")

NO_PAGE = re.compile(
    r"/(static/.*|healthz|readyz|metrics|desk/session|social/pictures/.*|intake/(review/)?files/.*)|.*\.(json|csv|atom|ics|txt)|.*/api/.*"
)
"""What programs ask for, and what browsers fetch beside a page."""

LEADS_ON = frozenset(
    {
        "/pledges/submit",
        "/pledges/{pledge_id:uuid}",
        "/demo",
        "/intake/",
        "/social/",
        "/calendar/month/",
        "/demo/mails/{number}/html",
        "/demo/posts/{network}/{post_id}",
        "/newsletter/issues/{issue}/preview/{language}.html",
    }
)
"""Addresses that lead to another page of this table, and a mail, which stands in the frame of one and runs no script."""


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A page and how it is reached."""

    address: str  # {names} stand for what `things.make` gives
    who: str = "Alex"  # whose browser; empty: nobody's
    status: int = 200
    send: bool = False  # press the first button of the page's form, as it stands: the page shows what is wrong with it


VISITS: Mapping[str, str] = {
    "/": "/",
    "/take-part/": "/take-part/",
    "/take-part/{code}": "/take-part/migration-mptf",
    "/practices/": "/practices/",
    "/practices/{slug}": "{practice}",
    "/talks/": "/talks/",
    "/talks/{slug}": "{talk}",
    "/news/": "/news/",
    "/news/{slug}": "{news_item}",
    "/intake/review/{submission}/edit": "{review_talk}/edit",
    "/intake/review/{submission}/move": "{review_talk}/move",
    "/intake/review/{submission}/cancel": "{review_talk}/cancel",
    "/intake/review/{submission}/outcome": "{review_held}/outcome",
    "/intake/submit/": "/intake/submit/",
    "/intake/submit/practice": "/intake/submit/practice",
    "/intake/submit/talk": "/intake/submit/talk",
    "/intake/submit/pledge": "/intake/submit/pledge",
    "/intake/submit/date": "/intake/submit/date",
    "/intake/submit/news": "/intake/submit/news",
    "/intake/submit/contribution": "/intake/submit/contribution",
    "/intake/submit/promotion": "/intake/submit/promotion",
    "/intake/submit/enquiry": "/intake/submit/enquiry",
    "/intake/enter/": "/intake/enter/",
    "/intake/enter/{kind}": "/intake/enter/pledge",
    "/intake/enquiries/{submission}": "{enquiry}",
    "/intake/initiatives/": "/intake/initiatives/",
    "/intake/track/{token}": "{track}",
    "/intake/confirm/{token}": "{confirm}",
    "/intake/catalogue": "/intake/catalogue",
    "/intake/review/": "/intake/review/?state=all",
    "/intake/review/{submission}": "{review}",
    "/intake/partners/": "/intake/partners/",
    "/intake/partners/{partner}": "{partner}",
    "/intake/partners/{partner}/keys/{key}/revoke": "{revoke}",
    "/calendar/": "/calendar/",
    "/calendar/month/{month}": "{month}",
    "/calendar/{slug}": "{date}",
    "/calendar/embed": "/calendar/embed",
    "/calendar/workplan": "/calendar/workplan",
    "/calendar/manage/": "/calendar/manage/?show=all",
    "/calendar/manage/new": "/calendar/manage/new",
    "/calendar/manage/{date}": "{meeting}",
    "/calendar/manage/{date}/words": "{meeting}/words",
    "/calendar/manage/{date}/move": "{meeting}/move",
    "/calendar/manage/{date}/cancel": "{meeting}/cancel",
    "/calendar/manage/{date}/done": "{deadline}/done",
    "/calendar/manage/{date}/deadline": "{meeting}/deadline",
    "/calendar/review/": "/calendar/review/?state=all",
    "/calendar/review/{suggestion}": "{suggestion}",
    "/pledges/": "/pledges/",
    "/pledges/P-{drawn}": "{pledge}",
    "/pledges/champions": "/pledges/champions",
    "/pledges/champions/edit": "/pledges/champions/edit",
    "/pledges/review/": "/pledges/review/?state=all",
    "/pledges/review/{submission}": "{pledge_review}",
    "/pledges/reports/": "/pledges/reports/",
    "/pledges/reports/{report}": "{pledge_report}",
    "/pledges/manage/": "/pledges/manage/",
    "/pledges/manage/{number}": "{pledge_manage}",
    "/pledges/manage/{number}/correct": "{pledge_manage}/correct",
    "/pledges/update": "/pledges/update",
    "/pledges/update/sent": "/pledges/update/sent",
    "/pledges/update/{token}": "{pledge_update}",
    "/pledges/update/{token}/sent": "{pledge_update}/sent",
    "/newsletter/": "/newsletter/",
    "/newsletter/archive/": "/newsletter/archive/",
    "/newsletter/archive/{number}": "{archived}",
    "/newsletter/subscribe": "/newsletter/subscribe",
    "/newsletter/subscribe/sent": "/newsletter/subscribe/sent",
    "/newsletter/confirm/{token}": "{bulletin_confirm}",
    "/newsletter/u": "/newsletter/u",
    "/newsletter/u/{token}": "{leave}",
    "/newsletter/pool": "/newsletter/pool",
    "/newsletter/issues/": "/newsletter/issues/",
    "/newsletter/issues/rule": "/newsletter/issues/rule",
    "/newsletter/issues/{issue}": "{issue}",
    "/newsletter/issues/{issue}/texts": "{issue}/texts",
    "/newsletter/issues/{issue}/blocks/new": "{issue}/blocks/new?kind=text",
    "/newsletter/issues/{issue}/blocks/{block}": "{block}",
    "/newsletter/issues/{issue}/preview/{language}": "{issue}/preview/en",
    "/newsletter/issues/{issue}/sending": "{sent_issue}/sending",
    "/newsletter/subscribers/": "/newsletter/subscribers/",
    "/newsletter/subscribers/{subscriber}": "{subscriber}",
    "/newsletter/pauses": "/newsletter/pauses",
    "/social/drafts": "/social/drafts",
    "/social/posts": "/social/posts",
    "/social/posts/{item}": "{post}",
    "/social/deliveries": "/social/deliveries",
    "/social/pauses": "/social/pauses",
    "/desk/": "/desk/",
    "/desk/me": "/desk/me",
    "/desk/sign-in": "/desk/sign-in",
    "/desk/sign-in/{link}": "{sign_in}",
    "/desk/people/": "/desk/people/",
    "/desk/people/{person_id}": "{person}",
    "/desk/audit": "/desk/audit",
    "/desk/sending": "/desk/sending",
    "/desk/components": "/desk/components",
    "/desk/operations": "/desk/operations",
    "/desk/events": "/desk/events",
    "/desk/events/find": "/desk/events/find",
    "/desk/events/{event_id}": "/desk/events/{receipt}",
    "/demo/": "/demo/",
    "/demo/mails/{number}": "/demo/mails/1",
    **{f"{base}/operations": f"{base}/operations" for base in OPERATED},
    **{f"{base}/operations/redrive": f"{base}/operations/redrive" for base in OPERATED},
    **{f"{base}/operations/parked/{{event_id}}": f"{base}/operations/parked/{{parked:{base}}}" for base in OPERATED},
    **{
        f"{base}/operations/parked/{{event_id}}/{act}": f"{base}/operations/parked/{{parked:{base}}}/{act}"
        for base in OPERATED
        for act in ("redrive", "discard")
    },
    **{f"{base}/events/{{event_id}}": f"{base}/events/{{receipt}}" for base in OPERATED},
}
"""One row for each page: the path of its route, and an address that reaches it."""

BESIDE = (
    Visit(address="/nothing/of/the/kind", status=404),
    Visit(address="/desk/", who="", status=401),
    Visit(address="/desk/people/", who="Ines", status=403),
    Visit(address="/desk/people/", who="Sam"),
    Visit(address="{review_open}"),
    Visit(address="/talks/?when=past&level=regional"),
    Visit(address="{talk_held}"),
    Visit(address="{talk_cancelled}"),
    Visit(address="{review_talk}"),
    Visit(address="{review_held}"),
    Visit(address="{review_news}"),
    Visit(address="{review_waiting}"),
    Visit(address="{review_contribution}"),
    Visit(address="{review_contribution}", who="Sam"),
    Visit(address="{review_news}/edit", send=True),
    Visit(address="{review_talk}/cancel", send=True, status=422),
    Visit(address="{review_open}", who="Sam"),
    Visit(address="/demo/mails/1?view=headers"),
    Visit(address="/demo/mails/1?view=source"),
    Visit(address="{sent_issue}"),
    Visit(address="{issue}", who="Sam"),
    Visit(address="{post}", who="Ines"),
    Visit(address="/newsletter/u/nobodys", who="", status=404),
    Visit(address="/newsletter/subscribe", who="", send=True, status=422),
    Visit(address="/intake/submit/practice", send=True, status=422),
    Visit(address="{question}", who=""),
    Visit(address="/intake/submit/pledge", send=True, status=422),
    Visit(address="/intake/submit/talk", send=True, status=422),
    Visit(address="/intake/enter/news", send=True, status=422),
    Visit(address="/intake/partners/", send=True, status=422),
    Visit(address="/pledges/?q=fees&objective=6&as_of=2026-01-01", who=""),
    Visit(address="/pledges/champions/edit", send=True, status=422),
    Visit(address="/desk/people/", send=True, status=422),
    Visit(address="/desk/sign-in", who="", send=True, status=422),
    Visit(address="/calendar/?kind=meeting&objective=8,20&at=2021-04", who=""),
    Visit(address="{sandbox}"),
)
"""The same pages as somebody else sees them, with what is wrong with a form, and pages that have no route."""

BY_KEYBOARD = frozenset(
    {
        "/",
        "/take-part/",
        "/practices/",
        "/pledges/",
        "{pledge}",
        "/pledges/champions",
        "/intake/submit/practice",
        "/intake/submit/pledge",
        "/intake/submit/talk",
        "{review_open}",
        "{review_waiting}",
        "/talks/",
        "{talk}",
        "{news_item}",
        "{review_news}/edit",
        "/desk/",
        "/desk/components",
        "/desk/sending",
        "/social/posts",
        "{post}",
        "{issue}",
        "/newsletter/subscribe",
        "/calendar/",
        "{month}",
        "{date}",
        "/calendar/embed",
        "/calendar/workplan",
        "/desk/operations",
    }
)
"""The pages on which every control is reached with the Tab key."""

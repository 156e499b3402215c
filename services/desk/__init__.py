"""The desk: where the team begins.

Owns: people, their roles, sign-in links and sessions; the audit trail; the kill switch; the start page with what awaits each
person, and the mails about it; the page that gathers the operations of all services, the catalogue of events, the story of one
thing.
Listens to: what people decided anywhere, for the audit trail; what awaits people and what awaits nobody any more; mails to
people that others want; which senders have paused or resumed.
Tells: who is who, and from when on older tokens are void; what admins decided about people; what is paused and resumed.
Needs: PostgreSQL, Kafka, the key that signs tokens, a mail server; a browser in front of its gathering pages, which asks the other
services itself.
"""

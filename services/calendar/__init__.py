"""The calendar.

Owns: dates to the hour, to the day or only to a month, quarter, half-year or year; the review of dates that others suggest; deadlines
that follow a meeting; the work plan and how far it has come; the feeds.
Listens to: dates that came in at the door; Talks, pledges, news and issues, for their days.
Tells: which dates stand, move and are cancelled; which deadline comes near; what was decided on what came in; what awaits the moderators.
Needs: PostgreSQL, Kafka, the data keys (contacts are kept encrypted), a mail server.
"""

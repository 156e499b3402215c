"""What awaits people in every service: kept as the services tell of it, shown on the start page, mailed to those who can act.

`rules` say who may act, what is pressing and when a mail is due; `store` keeps tasks, who was mailed of what, and each person's choice;
`listening` takes what the services tell; `letters` writes the mails, and `mailing` is the job that puts them into the queue.
"""

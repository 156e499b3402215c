"""What the public finds on the front page, and what the team hears of lately: made of what the services tell, and of nothing else.

`rules` say what of an event is shown; `store` keeps it, the newest word of each thing alone; `listening` takes the events.
"""

"""The kill switch as each sender keeps it: what is paused, why, until when, and what waited meanwhile.

`scopes` says what covers what; `store` keeps the rows and answers `paused` to whoever is about to send; `sender` tells desk how things
stand. Three ways in: `listening` for desk's word, `by_hand` for a word on the spot, `ending` for the clock. `switch` is
desk's side: what was said, and who has confirmed it; `saying` holds what every word needs, wherever it is said.
"""

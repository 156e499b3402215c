"""Reference data of the Global Compact: codes, and titles per language.

One module per noun; each reads its own file in `data/` once, when it is first asked, so importing opens nothing. A
record says where it comes from and what nobody has confirmed yet. Nothing else of ours is imported here.
"""

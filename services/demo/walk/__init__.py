"""The main job from end to end, walked through the public doors of a running system as people and programs walk it: `tidings demo`.

Needs: a system with demo parts (its inbox, its people of every role, its sandbox networks). It imports nothing of any service: what a page
offers is filled in and sent as a browser does, what a partner sends is signed as the catalogue says.
"""

"""The clock in: what the newsletter keeps. It has no work by the clock yet."""

from shared.retention import Kept

KEPT = (Kept(what="items of the pool (newsletter)", days=None, why="an issue can be traced to what it was made from"),)
"""What the newsletter keeps beside what every service keeps."""

"""The clock in: what social media keep. There is no work by the clock yet."""

from shared.retention import Kept

KEPT = (Kept(what="drafts of posts (social)", days=None, why="a post can be traced to what it was made from"),)
"""What social media keep beside what every service keeps."""

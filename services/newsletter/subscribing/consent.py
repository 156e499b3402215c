"""What people consent to: its words, and their version.

Change a word in any catalogue, and the version must change with it, so that every receipt names the words that were shown; a test
holds each version to its words.
"""

from shared import i18n

VERSION = "2026-11"
KEY = "subscribe.consent"


def words(language: str) -> tuple[str, str]:
    """Return the words in a page's language, and the language in which they really are."""
    return i18n.look_up(language, KEY)

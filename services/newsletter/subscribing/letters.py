"""The mails that answer what somebody asked for, each in the language of the page where it was asked."""

from datetime import datetime

from services.newsletter.subscribing.rules import Mail
from shared import i18n
from shared.mail.letter import Link, letter
from shared.mail.message import Content

CONFIRM = "/newsletter/confirm/"
PREFERENCES = "/newsletter/u/"


def content(mail: Mail, *, language: str, address: str, until: datetime, bulletin: str, zone: str) -> Content:
    """Return the texts of a mail whose link leads to `address`; nothing of them was typed by whoever asked.

    `until` is when the link ends, where it does; `bulletin` the language in which issues would come.
    """
    blocks = (
        i18n.translate(language, f"subscribe.mail.{mail.value}.what", language=i18n.language_name(bulletin, language)),
        i18n.translate(language, f"subscribe.mail.{mail.value}.do", moment=i18n.moment(until, language, zone)),
        Link(words=i18n.translate(language, f"subscribe.mail.{mail.value}.link"), address=address),
        i18n.translate(language, f"subscribe.mail.{mail.value}.not-mine"),
    )
    return letter(language, i18n.translate(language, f"subscribe.mail.{mail.value}.subject"), blocks)

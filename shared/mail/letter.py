"""A one-off mail from paragraphs and links: one text for those who read text, one in HTML, and nothing to load from anywhere."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import escape

from shared.mail.message import Content, document

# Mail programs read no style sheets of others and few rules; these few every one reads, and dark modes turn them by themselves.
BODY_STYLE = "font-family:system-ui,sans-serif;font-size:1rem;line-height:1.5;max-width:40em;margin:0 auto;padding:1em"
LINK_STYLE = "display:inline-block;padding:.6em 1.2em;border:1px solid;border-radius:4px;font-weight:600;text-decoration:none"
SMALL_STYLE = "font-size:.875rem;overflow-wrap:anywhere"


@dataclass(frozen=True, kw_only=True)
class Link:
    """Where the reader may go next."""

    words: str
    address: str


Block = str | Link
"""A paragraph of plain text, or a link on a line of its own."""


def letter(language: str, subject: str, blocks: Sequence[Block]) -> Content:
    """Return a mail's texts in `language`; addresses stand written out in both, so that nothing hides where they lead."""
    text = "\n\n".join(f"{block.words}\n{block.address}" if isinstance(block, Link) else block for block in blocks)
    inner = "\n".join(_html(block) for block in blocks)
    return Content(
        language=language,
        subject=subject,
        text=text + "\n",
        html=document(language, subject, f'<div style="{BODY_STYLE}">\n{inner}\n</div>'),
    )


def _html(block: Block) -> str:
    if isinstance(block, Link):
        address = escape(block.address)
        return (
            f'<p><a href="{address}" style="{LINK_STYLE}">{escape(block.words)}</a></p>\n'
            f'<p style="{SMALL_STYLE}"><a href="{address}" dir="ltr">{address}</a></p>'
        )
    return "<p>" + str(escape(block)).replace("\n", "<br>\n") + "</p>"

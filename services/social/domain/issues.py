"""Posts that tell that the bulletin is out."""

from collections.abc import Iterator

from services.social.domain.drafts import Draft, draft_of
from shared.events.newsletter import IssueSent
from shared.heard import Told
from shared.i18n import translate


def drafts_of_issue(told: Told) -> Iterator[Draft]:
    """Yield the draft about an issue that is being sent: in each of its languages a link to that language of the archive.

    An issue that is only approved is told of to nobody outside.
    """
    sent = told.last(IssueSent)
    if sent is None or not told.is_news(IssueSent):
        return
    issue = sent.data
    texts = {}
    for language, title in issue.title.items():
        head = translate(language, "social.draft.about", label=translate(language, "source.issue"), title=title)
        texts[language] = f"{head}\n{issue.address}?lang={language}"
    yield draft_of(told, sent, label="issue", language=next(iter(issue.title)), title=issue.title, texts=texts, address=issue.address)

"""docs/retention.md says what the code keeps to."""

from importlib import import_module
from pathlib import Path

from shared import retention
from shared.broker import TOPIC_DAYS

SERVICES = Path(__file__).parents[2] / "services"


def test_the_page_is_what_the_code_says() -> None:
    assert retention.PAGE.read_text(encoding="utf-8") == retention.page(), "renew it by `make docs`"


def test_it_lists_what_each_service_adds() -> None:
    text = retention.page()
    added = [kept for jobs in SERVICES.glob("*/jobs.py") for kept in import_module(f"services.{jobs.parent.name}.jobs").KEPT]
    assert added
    for kept in (*retention.TABLE, *added):
        assert f"\n| {kept.what} | {'no limit' if kept.days is None else kept.days} | {kept.why} |" in text


def test_the_inbox_remembers_longer_than_anything_can_come_again() -> None:
    assert max(retention.OUTBOX_DAYS, TOPIC_DAYS) < retention.INBOX_DAYS

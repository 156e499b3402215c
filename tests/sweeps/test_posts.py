"""Posts that are planned without approval, approved without a plan, or not taken in their time."""

from datetime import timedelta
from uuid import UUID

from services.social.domain.content import Content
from services.social.domain.posts import Wish
from services.social.posting import planning
from services.social.store import posts
from shared import clock
from shared.sweeps import Promise
from shared.trace import Cause
from tests.social.ledger import approve
from tests.social.x_sandbox import words
from tests.sweeps.swept import run, sweep, work
from tests.watched import Watched


async def _post(system: Watched, said: str, *, due: timedelta) -> tuple[UUID, Content]:
    """Put a post that is approved and has its time, and plan it as its page does."""
    content = words(said)
    async with system.database("social").transaction() as tx:
        post = await posts.add(tx, zone="UTC", trace_id="0" * 32)
        assert post is not None
        await posts.write_variant(tx, post, content)
        await posts.write_wish(tx, post, Wish(local=(clock.now() + due).replace(tzinfo=None), zone="UTC", until=None))
        await approve(tx, post, content)
        await planning.follow(tx, post, cause=Cause.start())
    return post, content


async def _plans(system: Watched) -> dict[UUID, str]:
    return {row.post_id: row.state for row in await run(system, "social", "SELECT post_id, state FROM deliveries")}


async def test_a_post_whose_approval_is_void_is_taken_out_of_the_plan_and_one_that_is_approved_stays(system: Watched) -> None:
    void, _ = await _post(system, "One", due=timedelta(days=1))
    good, _ = await _post(system, "Two", due=timedelta(days=1))
    await run(system, "social", "UPDATE approvals SET state = 'draft' WHERE item = :id", id=void)
    assert await sweep(system, "social") == []
    assert await _plans(system) == {void: "cancelled", good: "scheduled"}


async def test_an_approved_post_that_was_not_planned_is_planned(system: Watched) -> None:
    post, _ = await _post(system, "One", due=timedelta(days=1))
    await run(system, "social", "DELETE FROM deliveries")
    await run(system, "social", "UPDATE posts SET updated_at = now() - interval '20 minutes'")
    assert await sweep(system, "social") == []
    assert await _plans(system) == {post: "scheduled"}


async def test_a_post_whose_time_has_come_and_that_nobody_takes_is_named_unless_it_waits_on_purpose(system: Watched) -> None:
    post, _ = await _post(system, "One", due=timedelta(minutes=-20))
    await _post(system, "Two", due=timedelta(minutes=-1))
    assert await sweep(system, "social") == [(Promise.POSTED, "not-taken", str(post))]
    await run(system, "social", "INSERT INTO accounts (network, posts_not_before) VALUES ('x', now() + interval '1 hour')")
    assert await sweep(system, "social") == []


async def test_an_approval_whose_time_is_over_and_that_did_not_end_is_named_until_the_job_ends_it(system: Watched) -> None:
    post, _ = await _post(system, "One", due=timedelta(days=1))
    await _post(system, "Two", due=timedelta(days=1))
    await run(system, "social", "UPDATE posts SET until_time = now() AT TIME ZONE 'UTC' - interval '6 minutes' WHERE id = :id", id=post)
    await run(system, "social", "UPDATE approvals SET expires_at = now() - interval '6 minutes' WHERE item = :id", id=post)
    assert await sweep(system, "social") == [(Promise.APPROVED, "not-expired", str(post))]
    await work(system, "social", "expiry")
    assert await sweep(system, "social") == []


async def test_a_pause_of_posts_that_did_not_end_by_itself_is_ended(system: Watched) -> None:
    paused = "INSERT INTO pauses (scope, origin, paused, reason, until, since, told_at, cause, trace_id)"
    over = "VALUES ('social/x', 'here', true, 'x', now() - interval '6 minutes', now(), now(), '', :trace)"
    await run(system, "social", f"{paused} {over}", trace="0" * 32)
    assert await sweep(system, "social") == []
    assert [row.paused for row in await run(system, "social", "SELECT paused FROM pauses")] == [False]

"""Running one service in a process of its own, beside others that run elsewhere."""

import logging
from collections.abc import Callable
from contextlib import closing

from services.demo.inbox.server import inbox_wanted
from services.wiring import built, kafka_of
from shared import command, log
from shared.process import Process, ending_by_signal, open_port, serve
from shared.settings import Settings

_log = logging.getLogger(__name__)


def alone(owner: str) -> Callable[[], None]:
    """Return the command that runs one service beside others."""

    def run_one() -> None:
        _run(owner)

    run_one.__doc__ = f"Run the service {owner}: web, consumers, relay, jobs."
    return run_one


def _run(name: str) -> None:
    settings = command.read_settings()
    log.configure(settings.log)
    if "embedded" in {settings.database, settings.kafka}:
        raise command.fail(
            f"`tidings {name}` runs one service beside others, so it needs a PostgreSQL and a Kafka that they share. "
            "Set TIDINGS_DATABASE and TIDINGS_KAFKA, or run all of them with `tidings all`."
        )
    failure = command.run(_run_one(name, settings))
    if failure:
        raise command.fail(failure)


async def _run_one(name: str, settings: Settings) -> str:
    ending = ending_by_signal()
    if inbox_wanted(settings):
        _log.warning("mails wait: no demo inbox runs in this process; set TIDINGS_SMTP to a mail server for them to leave")
    if not settings.data_keys or not (settings.signing_key or settings.verify_keys):
        _log.warning(
            "%s uses keys of its own in %s, and services that run elsewhere need the same ones: set TIDINGS_DATA_KEYS (made by "
            "`tidings key`) and TIDINGS_VERIFY_KEYS for all of them, TIDINGS_SIGNING_KEY for desk alone (both made by "
            "`tidings key --signing`)",
            name,
            settings.var,
        )
    with closing(open_port(settings.host, settings.port)) as web:
        parts = command.parts_of(settings.model_copy(update={"port": web.getsockname()[1]}))

        async def announce(process: Process) -> None:
            _log.info("%s answers at %s", name, process.address)

        process = await serve([built(name, parts)], parts, kafka_of(settings, embedded=False), web, ending, announce)
        return process.failure


desk = alone("desk")
intake = alone("intake")
pledges = alone("pledges")
newsletter = alone("newsletter")
social = alone("social")
calendar = alone("calendar")

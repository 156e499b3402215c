"""`tidings doctor`."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

import typer

from shared import command
from shared.broker import Probe
from shared.cluster import cluster_of
from shared.command import AsJson, print_json, say
from shared.doctor import brokers, databases, mails, reached, secrets, undecided
from shared.doctor.findings import Finding, Grade, Question, answers, ok, wrong
from shared.doctor.names import Names
from shared.doctor.undecided import Undecided
from shared.embedded import run_file
from shared.settings import Settings

NetworkQuestions = Callable[[Settings], Sequence[Question]]
"""What a service asks of the networks that it posts to."""
_URGENCY = (Grade.WRONG, Grade.WARNING, Grade.OK)
_MARKS = {Grade.OK: "ok", Grade.WARNING: "warning", Grade.WRONG: "WRONG"}


def doctor_command(
    services: Sequence[str],
    networks: NetworkQuestions,
    own: Sequence[tuple[str, Undecided]],
    rehearses: Callable[[Settings], bool],
) -> Callable[..., None]:
    """Return the command; `own` is what waits for a person in tables of services' own, `rehearses` whether mails stay in the demo inbox."""

    def doctor(*, as_json: AsJson = False) -> None:
        """Look at configuration, database, Kafka, mail server, DNS, networks, keys, disk and public address, and say what to do.

        What is wrong comes first. Changes nothing and sends nothing. Ends with 1 where something is wrong.
        """
        settings = command.read_settings()
        command.quiet_libraries()
        found = command.run(examine(settings, services, networks, own, rehearses))
        worst = {finding.grade for finding in found}
        if as_json:
            print_json({"ok": Grade.WRONG not in worst, "findings": [asdict(finding) for finding in found]})
        else:
            _show(found)
        if Grade.WRONG in worst:
            raise typer.Exit(1)

    return doctor


async def examine(
    settings: Settings,
    services: Sequence[str],
    networks: NetworkQuestions,
    own: Sequence[tuple[str, Undecided]],
    rehearses: Callable[[Settings], bool],
    names: Names | None = None,
) -> Sequence[Finding]:
    """Return everything that was found, the most urgent first; raises SettingsError where the settings themselves do not go together."""
    parts = command.parts_of(settings)  # refuses settings that do not go together
    found, questions = [ok("settings", "TIDINGS_*", "they can be read and go together")], list[Question]()
    # Where others keep database and keys, nothing is written there, and a container's is in memory.
    kept_here = settings.database == "embedded" or not settings.data_keys
    settings, lacking = _found_parts(settings)
    found += lacking
    if settings.database != "embedded":
        questions += [*databases.questions(settings, services), *secrets.questions(settings, services, parts.vault)]
        questions += undecided.questions(settings, services, own)
    probe = Probe(cluster_of(settings)) if settings.kafka != "embedded" else None
    if probe is not None:
        questions += brokers.questions(probe, services)
    questions += mails.questions(settings, parts.outgoing, names or Names(), rehearses=rehearses(settings))
    questions += [*networks(settings), *reached.questions(settings, kept_here=kept_here)]
    try:
        found += await answers(questions)
    finally:
        if probe is not None:
            await probe.close()
    return sorted(found, key=lambda finding: _URGENCY.index(finding.grade))  # within a grade as it was asked: what others need first


def _found_parts(settings: Settings) -> tuple[Settings, Sequence[Finding]]:
    """Return the settings with the addresses of embedded parts that run, and what is wrong where none do."""
    if "embedded" not in {settings.database, settings.kafka}:
        return settings, []
    running = run_file.read(settings.var)
    if running is None:
        said = f"nothing runs on {settings.var}, so its database and Kafka were not looked at"
        do = "Start it with `tidings all`, or set TIDINGS_DATABASE and TIDINGS_KAFKA to the system you mean."
        return settings, [wrong("embedded", "running system", said, do)]
    changes: dict[str, object] = {}
    if settings.database == "embedded":
        changes["database"] = running.database
    if settings.kafka == "embedded":
        changes["kafka"] = running.kafka
    if settings.public_url is None:
        changes["public_url"] = running.web
    return settings.model_copy(update=changes), [ok("embedded", "running system", f"it runs on {settings.var}")]


def _show(found: Sequence[Finding]) -> None:
    for finding in found:
        typer.echo(f"{_MARKS[finding.grade]:<8} {finding.part:<9} {finding.what}: {finding.found}")
        if finding.do:
            typer.echo(f"{'':<18} → {finding.do}")
    wrong_ones, warnings = (sum(finding.grade is grade for finding in found) for grade in (Grade.WRONG, Grade.WARNING))
    say(f"{len(found)} looked at: {wrong_ones} wrong, {warnings} to look at.")

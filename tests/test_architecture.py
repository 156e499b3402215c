"""What may import what, and what may not stand in the tree."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_imports_keep_their_contracts() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_only_what_puts_services_together_imports_two() -> None:
    above = {path.stem for path in (ROOT / "services").glob("*.py")}  # what stands beside the services, and knows them all
    for path in (ROOT / "services").rglob("*/*.py"):
        text = path.read_text(encoding="utf-8")
        named = set(re.findall(r"^(?:from|import) services\.(\w+)|^from services import (\w+)", text, re.MULTILINE))
        services = {first or second for first, second in named}
        assert not services & above, path
        assert services <= {path.relative_to(ROOT / "services").parts[0]}, path


def test_a_process_of_one_service_carries_no_other() -> None:
    asked = "import sys; from services import __main__, alone, social; import services.social.app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    carried = {name.split(".")[1] for name in done.stdout.split() if name.startswith("services.")}
    # The demo inbox's server knows whether mails go to one.
    assert carried - {"__main__", "alone", "owners", "wiring", "demo"} == {"social"}


def test_only_the_clock_reads_the_time() -> None:
    reads = re.compile(r"datetime\.(now|utcnow|today)\(|date\.today\(")
    allowed = {ROOT / "shared/clock.py"}
    places = [path for folder in ("services", "shared") for path in (ROOT / folder).rglob("*.py") if path not in allowed]
    assert [str(path.relative_to(ROOT)) for path in places if reads.search(path.read_text(encoding="utf-8"))] == []


def test_every_subscriber_is_acknowledged_by_us_alone() -> None:
    # FastStream acknowledges first unless told otherwise; the broker says it once, and nobody says otherwise.
    made = {path.name for path in (ROOT / "shared").rglob("*.py") if "ack_policy" in path.read_text(encoding="utf-8")}
    assert made == {"broker.py"}
    sources = [path for folder in ("services", "shared", "bench") for path in (ROOT / folder).rglob("*.py")]
    assert [path.name for path in sources if "KafkaBroker(" in path.read_text("utf-8")] == ["broker.py"]


def test_locks_hold_hashes_and_no_addresses() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert "--index" not in text
        assert text.count("--hash=sha256:") > 30


def test_no_file_names_a_path_of_one_machine() -> None:
    homes = re.compile("/" + "work/|/" + "root/|/" + r"home/\w+")
    found = [
        str(path.relative_to(ROOT))
        for path in tracked()
        if path.suffix not in {".png", ".lock"} and homes.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []

"""What a process of Tidings does for all of its services."""

import subprocess
import sys

from tests.flows.running import ROOT

# In a process of its own: what is set aside from the collector stays so, and the tests' own things are not to be among it.
ASKED = """
import asyncio, gc
from pathlib import Path
from contextlib import closing
from shared import command
from shared.broker import Probe
from shared.process import open_port, serve
from shared.service import Kafka, Service
from shared.settings import Settings

async def asked():
    ending = asyncio.Event()

    async def announce(process):
        print(gc.get_freeze_count())
        ending.set()

    settings = Settings(_env_file=None, var=Path("{var}"), host="127.0.0.1", port=0)
    with closing(open_port(settings.host, 0)) as web:
        parts = command.parts_of(settings)
        kafka = Kafka(address="127.0.0.1:1", embedded=True, probe=Probe("127.0.0.1:1"))
        await serve([Service(name="bare", routers=())], parts, kafka, web, ending, announce)

asyncio.run(asked())
"""


def test_the_collector_passes_over_what_a_process_began_with(tmp_path: object) -> None:
    done = subprocess.run([sys.executable, "-c", ASKED.format(var=tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    # The libraries alone are more: had each full look to go through them, requests would wait for it.
    assert int(done.stdout) > 50_000

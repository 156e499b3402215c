"""Kafka goes away under a flow: telling and the web go on, nothing is restarted, and everything is handled once it is back."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from services.desk import app as desk
from services.intake import app as intake
from services.newsletter import app as newsletter
from services.social import app as social
from shared.application import application
from shared.broker import Probe
from shared.db import Database
from shared.embedded import run_file
from shared.migrations import migrate
from shared.outbox import put_all
from shared.parts import Parts
from shared.process import at_work
from shared.service import Kafka, Service
from shared.settings import Settings
from shared.testing import trial
from shared.testing.containers import ApacheKafka
from shared.vault import Vault, new_key
from shared.watchdog import Limits, State
from shared.web.staff import StaffKey
from tests.live.flow import SUBJECTS, Flow, health_of, joined, until

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("live")]

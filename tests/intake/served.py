"""Intake as a process of its own, for tests that need a real server: `uvicorn --factory tests.intake.served:app`."""

import os

from fastapi import FastAPI

from services.intake import app as intake_app
from tests.intake.intake_app import app_of, parts_of

DATABASE = "INTAKE_TEST_DATABASE"
DATA_KEY = "INTAKE_TEST_DATA_KEY"


def app() -> FastAPI:
    """The app of intake on the database that the environment names."""
    parts = parts_of(os.environ[DATABASE], os.environ[DATA_KEY])
    return app_of(intake_app.build(parts), parts)

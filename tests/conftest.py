"""What every test may use: the servers of `shared.testing.fixtures`, and marks for what not every machine has."""

pytest_plugins = ["shared.testing.plugin", "shared.testing.fixtures"]

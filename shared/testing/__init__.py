"""What the tests of every service share: servers to test against, and what a machine must have for which test."""

"""Tables and queries of intake, as functions on a transaction: one file for each noun."""

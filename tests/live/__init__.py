"""The backbone on Apache Kafka and PostgreSQL: what may go wrong goes wrong here, and every effect comes about once, in order."""

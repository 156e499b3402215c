"""What is counted, under the names that dashboards and alerts rely on. No label holds anything about a person."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS_SENT = Counter("tidings_events_sent_total", "Events that Kafka has acknowledged", ["service"])
EVENTS_TAKEN = Counter("tidings_events_taken_total", "Events taken from Kafka, by what became of them", ["service", "type", "outcome"])
BATCH_SECONDS = Histogram("tidings_batch_seconds", "Time from a batch's arrival to its commit", ["service"])
BATCH_RETRIES = Counter("tidings_batch_retries_total", "Batches that waited for the database and were tried again", ["service"])
CONSUMER_RESTARTS = Counter("tidings_consumer_restarts_total", "Subscribers restarted for being alive without moving", ["service"])
CONSUMER_LAG = Gauge("tidings_consumer_lag", "Events in Kafka that this service has not finished with", ["service"])
CONSUMER_STATE = Gauge("tidings_consumer_state", "1 for the state in which this process's consumer is", ["service", "state"])
RELAY_LEADS = Gauge("tidings_relay_leads", "1 in the process whose relay sends", ["service"])
OUTBOX_UNSENT = Gauge("tidings_outbox_unsent", "Events waiting in the outbox", ["service"])
OUTBOX_AGE = Gauge("tidings_outbox_age_seconds", "Age of the oldest event that waits in the outbox", ["service"])
PARKED = Gauge("tidings_parked", "Events set aside, by state", ["service", "state"])
QUEUE_DEPTH = Gauge("tidings_queue_depth", "What waits, by queue, state and kind", ["service", "queue", "state", "kind"])
QUEUE_OLDEST = Gauge(
    "tidings_queue_oldest_seconds", "For how long the oldest of it waits, past its time", ["service", "queue", "state", "kind"]
)
DATABASE_ANSWERS = Gauge("tidings_database_answers", "Whether the queues could be counted when this was last tried", ["service"])
STUCK = Gauge("tidings_stuck", "What is stuck after a sweep has mended what it could, by promise", ["service", "promise"])
MENDED = Counter("tidings_mended_total", "What sweeps have mended, by promise", ["service", "promise"])
SWEPT_AT = Gauge("tidings_swept_at_seconds", "Unix time of the last whole sweep", ["service", "promise"])
MAILS = Counter("tidings_mails_total", "One-off mails tried or ended, by what became of them", ["service", "purpose", "outcome", "because"])

"""What the webhook door decides without a database or a web framework.

Three steps, each a plain function that gives either its result or a `Refusal`, and never raises whatever bytes came in:

1. `signature.verify` says whether a live key of the partner signed these bytes, and when (Standard Webhooks, v1 and v1a).
2. `envelope.read` reads the bytes into one `Envelope`, whatever of the three dialects they speak.
3. `shared.events.kinds.faults.of_validation` turns what a kind's model did not accept into faults with JSON pointers.

Beside them: `handshake` (the CloudEvents handshake before the first delivery) and `snippets` (ready-to-run senders).
`problem` maps every refusal onto a problem document (RFC 9457); its sentences are keys of the catalogue.
"""

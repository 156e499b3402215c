"""Files that people bring: what they are is judged from their bytes alone, and of pictures only what we drew again is ever shown.

`pictures` checks and draws again, `uploads` reads what a form brings within its limits, `answers` hands files out. Nothing here keeps
anything: the rows, by the SHA-256 of their bytes, are in the schema of the service that owns them. No name that a file came with is ever a
path, an address or a type.
"""

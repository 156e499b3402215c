"""`tidings key`: new keys, to be set by hand."""

from typing import Annotated

import typer

from shared.auth.tokens import new_key_pair
from shared.command import AsJson, print_json
from shared.vault import new_key


def key(
    *,
    signing: Annotated[bool, typer.Option("--signing", help="Make the pair that signs and reads tokens, as two settings.")] = False,
    as_json: AsJson = False,
) -> None:
    """Print a new key for TIDINGS_DATA_KEYS, or with --signing the pair TIDINGS_SIGNING_KEY and TIDINGS_VERIFY_KEYS."""
    pair = new_key_pair()
    made = {"TIDINGS_SIGNING_KEY": pair.private, "TIDINGS_VERIFY_KEYS": pair.public} if signing else {"key": new_key()}
    if as_json:
        print_json(made)
        return
    for name, value in made.items():
        typer.echo(f"{name}={value}" if signing else value)

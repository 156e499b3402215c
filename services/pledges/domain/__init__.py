"""The rules of the register; no I/O."""

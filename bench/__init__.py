"""What measures speed: each figure beside its ceiling, both from the same run on the same machine."""

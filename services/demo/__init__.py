"""Real servers to rehearse with: what leaves Tidings arrives here instead of at the world's."""

"""What is made from the model of a kind: its entry in the catalogue, its form, and the sentences of its own rules."""

"""What follows from a decision: what a submission becomes is kept, changed and told of; one file for each kind, all with the same verbs."""

"""What was sent, as everybody may read it again: every issue in its languages, without anything of a single reader's."""

"""The social networks that posts go to, one folder each."""

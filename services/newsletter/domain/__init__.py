"""What becomes an item for the newsletter, and what corrections and withdrawals do to one: a file for each noun that items come from."""

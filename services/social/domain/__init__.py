"""The rules of social media: what becomes a draft, what exactly goes out, when, and what an answer of a network means."""

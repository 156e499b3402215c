"""What a mail is: its headers and bodies as bytes, its signature, and the queue of one-off mails that every service has."""

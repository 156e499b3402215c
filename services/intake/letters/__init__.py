"""The mails that intake writes: to senders, and to those who answer enquiries. Written here, handed over by the queue."""

"""The outside for those who have none: a mail server, a post office and a payment gateway in one process."""

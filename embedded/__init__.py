"""What `keiyaku up` starts: every part of the service on one machine, each a process of its own."""

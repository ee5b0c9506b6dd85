"""What leaves the service: mail, letters and payments. Nothing in here decides anything."""

"""Every lifecycle as one explicit state machine: states, events, nothing else. No I/O, no clock."""

"""The rulebook as code: pure decisions, with `now` as an argument. No I/O, no clock, no framework."""

"""The HTTP interface: parse, one call, answer. One file a noun."""

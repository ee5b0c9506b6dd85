"""Deterministic workflows: contract.py is the loop; one file a procedure says what its transitions call for."""

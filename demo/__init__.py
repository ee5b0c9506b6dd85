"""`keiyaku demo`: two years of a few rental contracts, lived through on a clock that is moved ahead, then told."""

"""`make bench`: Keiyaku against bare Temporal, as ratios from one run on one server (bench/README.md)."""

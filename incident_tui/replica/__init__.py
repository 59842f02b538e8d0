"""Entries of other bastions, taken in while they are written: transports between journals, and who watches what."""

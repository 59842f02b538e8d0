"""Embedded SSH peers that play an outage; scenarios as data."""

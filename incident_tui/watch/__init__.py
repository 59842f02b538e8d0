"""The process that watches hosts, sites and chat, and records what they say."""

"""What the machines say. Pure: text -> readings -> findings."""

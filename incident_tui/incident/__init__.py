"""What happened: entries, the grammar, the fold, metrics, playbooks, people. Pure: no I/O, no asyncio, no clock."""

"""What must not be lost: the journal, its chain, the board, the lease, the notifications. Synchronous."""

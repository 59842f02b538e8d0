"""asyncssh: the connection and channels of one host, and all of them together."""

"""The listener: HTTP for alerts and for hooks of chat. `signatures` who it is from, `hooks` the platforms' forms,
`limits` what one peer may do, `port` the connections, `routes` what becomes of a request. Run by the lease's holder.
"""

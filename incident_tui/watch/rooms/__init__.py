"""What is said in chat rooms, read by long connections that this side opens: no port is open here. `reader` one room,
`feed` its way into the journal, `cursors` how far that has come, `matrix`, `mattermost`, `slack`, `zulip` the
platforms, each with its frames apart and pure.
"""

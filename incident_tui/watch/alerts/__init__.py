"""Alerts from outside -> entries. `alert` the normal form; `forms`, `forms_events`, `monitors` the formats it is read
from; `judging` what the rules make of it, `firing` what fires now, `storm` many at once, `intake` the part that saves;
`poll`, `spool` where they come from besides `watch.listen`.
"""

"""What is said in chat -> entries and verbs. `said` the interface to every platform, `messages` what a message should
look like in the journal, `verbs` which lines of chat are carried out, `taking` the part that saves.

Whoever reads a platform makes `Said` of what came, in any order and as often as it comes, and awaits
`Inbound.take(rules, batch)`: when it returns all is saved, and a cursor may move.
"""

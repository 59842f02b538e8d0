"""The screen as lines, for screen readers, serial consoles and terminals that can do nothing else. No Textual."""

"""The screen (Textual). The only room that knows a widget."""

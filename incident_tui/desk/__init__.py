"""Carries out parsed commands, for the screen and the command line alike."""

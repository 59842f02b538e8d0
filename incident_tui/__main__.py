"""`python -m incident_tui` is `incident-tui`."""

from __future__ import annotations

import sys

from incident_tui.cli import main

sys.exit(main())

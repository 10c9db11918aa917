"""`python -m rfseg`: the command line."""

import sys

from rfseg.cli.main import main

sys.exit(main())

"""The command line; `rfseg.cli.main.main` is its entry point. Nothing in the library imports it."""

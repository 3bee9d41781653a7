# What stands around the programs: units, completions, the quickstart.

"""`python -m benchmarks.probe JOB ...`: one measurement in this process alone, printed as a JSON object for `fresh`."""

import json
import sys

from benchmarks.jobs import PROBES

print(json.dumps(PROBES[sys.argv[1]](*sys.argv[2:])))

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The points that the guide lists are those that the files have, with as many arguments: test_points.py FILE..."""

import sys

import points

faults = []
documented = {name: len(arguments) for name, arguments in points.documented().items()}
for file in sys.argv[1:]:
    noted = points.noted(file)
    for name, count in noted:
        if name not in documented:
            faults.append(f"{file}: the guide does not know {name}")
        elif documented[name] != count:
            faults.append(f"{file}: {name} has {count} arguments, and {documented[name]} in the guide")
    faults += [f"{file} has no {name}" for name in set(documented) - {name for name, _ in noted}]
    print(f"{file}: {len(noted)} places of {len(documented)} points")
if not documented:
    faults.append("the guide lists none")
print("\n".join(f"FAIL {fault}" for fault in faults))
sys.exit(1 if faults else 0)

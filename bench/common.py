# SPDX-License-Identifier: GPL-2.0-or-later
"""What the scripts of this folder share."""

import os
import platform
import re
import shutil
import statistics
import subprocess
import sys

BUILD = os.path.abspath(os.environ.get("top_builddir", "."))
MTRACE = os.path.abspath(os.environ.get("MTRACE", os.path.join(BUILD, "mtrace")))
TIMEOUT = 300


def program(name):
    path = os.path.join(BUILD, "bench", name)
    if not os.access(path, os.X_OK):
        sys.exit("%s is not built: make bench-programs" % path)
    return path


def installed(name):
    return shutil.which(name) is not None


def run(command, **more):
    """Output of both kinds; a failure ends everything, since figures of it would be wrong."""
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=TIMEOUT, **more)
    if done.returncode:
        raise RuntimeError("%s: status %d\n%s" % (" ".join(command), done.returncode, done.stderr))
    return done.stdout + done.stderr


def one_cpu():
    """The prefix of a command that is to stay on the last CPU that we may use."""
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


def median(values):
    return statistics.median(values)


def spread(values):
    return "%.0f…%.0f" % (min(values), max(values))


def machine():
    model = ""
    with open("/proc/cpuinfo") as info:
        found = re.search(r"^model name\s*: (.*)", info.read(), re.M)
        if found:
            model = found.group(1)
    print("# %s, %d CPUs, Linux %s, load %.1f" % (
        model, len(os.sched_getaffinity(0)), platform.release(), os.getloadavg()[0]))

# SPDX-License-Identifier: GPL-2.0-or-later
"""What the comparisons with valgrind share: programs are built, valgrind's logs and mtrace's export
are read, and the results come out as TAP."""

import concurrent.futures
import json
import os
import re
import shutil
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
MTRACE = os.path.abspath(os.environ["MTRACE"])
TIMEOUT = int(os.environ.get("TIMEOUT", 120))
CC = os.environ.get("CC", "cc").split()
CXX = os.environ.get("CXX", "c++").split()
KINDS = {"definite": "definitely lost", "indirect": "indirectly lost", "possible": "possibly lost",
         "reachable": "still reachable"}


class Skip(Exception):
    pass


def run(command, env, work, stdout, stderr):
    """Its status; RuntimeError when it does not end in time."""
    process = subprocess.Popen(command, cwd=work, env=env, stdout=stdout, stderr=stderr,
                               stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        return process.wait(TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL) # the tool and the program
        process.wait()
        raise RuntimeError("%s did not end within %d seconds" % (command[0], TIMEOUT))


def build(folder, source, compiler, *flags, output=None):
    if not shutil.which(compiler[0]):
        raise Skip("no %s here" % compiler[0])
    output = os.path.join(folder, output or os.path.basename(source).split(".")[0])
    subprocess.run(compiler + ["-g", "-o", output, source, *flags], check=True, stderr=subprocess.PIPE)
    return output


def number(text):
    return int(text.replace(",", ""))


def log_leaks(text):
    """Bytes and blocks of each class in a log of valgrind's."""
    leaks = {}
    for kind, words in KINDS.items():
        found = re.findall(words + r": ([\d,]+) bytes in ([\d,]+) blocks", text)
        leaks[kind] = tuple(map(number, found[-1])) if found else (0, 0)
    return leaks


def export_leaks(process):
    """The same of a process in mtrace's export; None where it was not scanned."""
    found = process["leaks"]
    return found and {kind: (found[kind]["bytes"], found[kind]["blocks"]) for kind in KINDS}


def read_export(path, status, stderr):
    if not os.path.exists(path):
        raise RuntimeError("mtrace wrote no JSON: status %d, %s" % (status, stderr))
    with open(path) as file:
        return json.load(file)["processes"]


def describe_leaks(leaks):
    if not leaks:
        return "not scanned"
    return ", ".join("%s %d bytes in %d blocks" % (kind, *leaks[kind]) for kind in KINDS)


def guarded(test, check, *arguments):
    try:
        return "ok", check(test, *arguments)
    except Skip as reason:
        return "skip", str(reason)
    except subprocess.CalledProcessError as error:
        return "not ok", "%s\n%s" % (error, (error.stderr or b"").decode(errors="replace"))
    except (RuntimeError, OSError, KeyError, ValueError) as error:
        return "not ok", str(error) or repr(error)


def show(n, test, result, text):
    lines = text.splitlines() or [""]
    if result == "skip":
        print("ok %d - %s # SKIP %s" % (n, test.name, " ".join(lines)))
    elif result == "ok":
        print("ok %d - %s: %s" % (n, test.name, lines[0]))
        lines = lines[1:]
    else:
        print("not ok %d - %s" % (n, test.name))
    for line in lines if result != "skip" else []:
        print("#   " + line)
    sys.stdout.flush()


def chosen(tests, wanted):
    for name in wanted:
        if name not in [t.name for t in tests]:
            raise SystemExit("Bail out! no test is named " + name)
    return [t for t in tests if not wanted or t.name in wanted]


def run_all(tests, check, folder):
    """check(test, folder) returns what to print after `ok` and, below, as comments; it raises Skip
    or RuntimeError.  Returns the exit status."""
    totals = {"ok": 0, "not ok": 0, "skip": 0}
    print("1..%d" % len(tests), flush=True)
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("JOBS", os.cpu_count() or 1))) as pool:
        results = [pool.submit(guarded, test, check, os.path.join(folder, "t%02d" % i))
                   for i, test in enumerate(tests)]
        for i, (test, future) in enumerate(zip(tests, results)):
            result, text = future.result()
            totals[result] += 1
            show(i + 1, test, result, text)
    if os.environ.get("KEEP"):
        print("# what was run lies in " + folder)
    else:
        shutil.rmtree(folder)
    print("# %d passed, %d failed, %d skipped" % (
        totals["ok"], totals["not ok"], totals["skip"]))
    return totals["not ok"] != 0

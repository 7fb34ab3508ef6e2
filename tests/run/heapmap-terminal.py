# SPDX-License-Identifier: GPL-2.0-or-later
"""The heap map on terminals of 40 to 200 columns: no row is wider, a row has a power of two
of cells, and UTF-8 is there where the locale says so and nowhere else."""
import fcntl
import os
import pty
import re
import struct
import sys
import termios

mtrace, program = sys.argv[1:]


def show(columns, locale):
    pid, fd = pty.fork()
    if not pid:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        os.environ.update(LC_ALL=locale, TERM="xterm")
        os.execv(mtrace, [mtrace, "--heapmap", "--color=never", program])
    shown = b""
    try:
        while more := os.read(fd, 65536):
            shown += more
    except OSError:
        pass
    if os.waitpid(pid, 0)[1]:
        sys.exit("mtrace fails: %r" % shown)
    text = shown.decode("utf-8").replace("\r", "")
    found = re.search(r"^brk heap.*?^region ", text, re.M | re.S)
    return found.group() if found else sys.exit("no map: %r" % text)


def check(columns, locale):
    text = show(columns, locale)
    rows = re.findall(r"^[0-9a-f]{3,} [0-9a-f]{4,} .+$", text, re.M)
    widest = max(map(len, rows)) if rows else sys.exit("no rows: %r" % text)
    cells = len(rows[0].split(" ", 2)[2])
    if widest > columns or cells < 16 or cells & (cells - 1):
        sys.exit("%d columns, %s: %d are taken by %d cells: %s" % (columns, locale, widest, cells, text))
    if text.isascii() == (locale != "C"):
        sys.exit("%d columns, %s: %r" % (columns, locale, text))
    return cells


if check(80, "C") != 64:
    sys.exit("80 columns have room for 64 cells")
for width in (40, 45, 79, 100, 132, 160, 200):
    check(width, "C")
# A locale that every C library of today has; where not, there is nothing to see.
import locale
try:
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
except locale.Error:
    sys.exit(print("# no locale C.UTF-8 here: no shades were looked at"))
for width in (40, 80, 200):
    check(width, "C.UTF-8")

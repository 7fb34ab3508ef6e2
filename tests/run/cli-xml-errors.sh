#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Heap errors in valgrind's XML: the same kinds, counts and places as valgrind's own.
set -u
here=$(dirname "$0")
cd "$OUT" || exit 1
command -v python3 >/dev/null || { echo "no python3 here"; exit 77; }

cat >read.py <<'END'
import sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1])
counts = {p.findtext('unique'): p.findtext('count') for p in root.findall('errorcounts/pair')}
for error in root.findall('error'):
    if error.findtext('kind').startswith('Leak_'):
        continue
    stacks = [[f.findtext('fn').split('(')[0] for f in s if f.findtext('file') == 'cli-xml-errors.cc']
              for s in error.findall('stack')]
    print(error.findtext('kind'), counts[error.findtext('unique')], *stacks)
END
ulimit -c 0
"$MTRACE" -q --export xml:ours.xml "$PROGRAM" >out 2>err
python3 read.py ours.xml >ours || { echo "ours.xml cannot be read"; exit 1; }
! command -v xmllint >/dev/null || xmllint --noout --dtdvalid "$here/valgrind.dtd" ours.xml || exit 1
grep -q '^MismatchedFree 3 ' ours && grep -q '^InvalidFree 1 ' ours || { cat ours; exit 1; }
if command -v valgrind >/dev/null && valgrind -q "$PROGRAM" >/dev/null 2>&1; then
	valgrind --xml=yes --xml-file=theirs.xml "$PROGRAM" 2>/dev/null
	python3 read.py theirs.xml >theirs
	diff theirs ours || exit 1
fi

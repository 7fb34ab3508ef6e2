# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads valgrind XML, whoever wrote it, and prints one line for each leak: kind,
bytes, blocks, and the frames in the program whose name is the second argument."""
import sys
import xml.etree.ElementTree as tree

root = tree.parse(sys.argv[1]).getroot()
if root.tag != 'valgrindoutput' or root.findtext('protocolversion') != '4':
    sys.exit('no valgrind output of protocol 4')
states = [s.findtext('state') for s in root.iter('status')]
if states != ['RUNNING', 'FINISHED']:
    sys.exit(f'states {states}')
unique = [e.findtext('unique') for e in root.iter('error')]
if len(unique) != len(set(unique)):
    sys.exit('unique numbers are not')
lines = []
for error in root.iter('error'):
    what = error.find('xwhat')
    if what is None:
        continue
    frames = []
    for frame in error.find('stack').iter('frame'):
        int(frame.findtext('ip'), 16)
        if (frame.findtext('obj') or '').endswith('/' + sys.argv[2]):
            function = frame.findtext('fn').split('(')[0]
            frames.append(f"{function}@{frame.findtext('file')}:{frame.findtext('line')}")
    lines.append(' '.join([error.findtext('kind'), what.findtext('leakedbytes'),
                           what.findtext('leakedblocks')] + frames))
print('\n'.join(sorted(lines)))
for pair in root.find('suppcounts'):
    print('suppressed', pair.findtext('count'), pair.findtext('name'))

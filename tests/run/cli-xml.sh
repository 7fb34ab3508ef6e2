#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# --export xml: well-formed, of valgrind's structure, and to a reader the same as
# what valgrind writes of the same program.
set -u
here=$(dirname "$0")
cd "$OUT" || exit 1
failed=0
command -v python3 >/dev/null || { echo "no python3 here"; exit 77; }

wrong() {
	echo "$*"
	tail -n 5 err
	failed=1
}

valid() {
	command -v xmllint >/dev/null || return 0
	xmllint --noout --dtdvalid "$here/valgrind.dtd" "$1" || wrong "$1 is not as valgrind's"
}

kinds=--show-leak-kinds=definite,indirect,possible
run() {
	timeout -k 5 30 "$MTRACE" "$@" </dev/null >out 2>err || wrong "$*: status $?"
}

run -q $kinds --export xml:ours.xml "$PROGRAM" '<&">' "$(printf 'a\001b\377')" 'ä]]>'
valid ours.xml
python3 "$here/xml-leaks.py" ours.xml cli-suppress >ours || wrong "ours.xml cannot be read"
grep -q '^Leak_DefinitelyLost 76 1 lose_node@cli-suppress.cc' ours &&
	grep -q '^Leak_IndirectlyLost 44 1 make_child@cli-suppress.cc' ours || wrong "$(cat ours)"
python3 - <<'END' || wrong "arguments"
import sys, xml.etree.ElementTree as tree
words = [a.text for a in tree.parse('ours.xml').find('args/argv')]
sys.exit(words[1:] != ['<&">', 'a?b?', 'ä]]>'])
END
if command -v valgrind >/dev/null && valgrind -q "$PROGRAM" >/dev/null 2>&1; then
	valgrind --xml=yes --xml-file=theirs.xml --leak-check=full $kinds "$PROGRAM" 2>/dev/null
	valid theirs.xml
	python3 "$here/xml-leaks.py" theirs.xml cli-suppress >theirs
	diff theirs ours || wrong "valgrind says something else"
fi

# Both exports at once, both to pipes and files; what is suppressed.
echo 'leak:lose' >known.txt
run -q --suppressions known.txt --export xml --export json:out.json "$PROGRAM"
valid out
python3 "$here/xml-leaks.py" out cli-suppress >read || wrong "XML on standard output"
grep -q '^suppressed 3 leak:lose$' read && ! grep -q Leak_ read || wrong "suppressed: $(cat read)"
grep -q '"allocs"' out.json || wrong "no JSON beside the XML"

# A document for each process.
run -q -f --export xml:many.xml sh -c "'$PROGRAM'; '$PROGRAM'; true"
[ "$(ls many.xml many.xml.[0-9]* | wc -l)" = 3 ] || wrong "three processes: $(ls many.xml*)"
run -q -f --export xml:named.%p.xml sh -c "'$PROGRAM'; '$PROGRAM'; true"
[ "$(ls named.[0-9]*.xml | wc -l)" = 3 ] || wrong "three named ones: $(ls named*)"
for file in many.xml* named.*.xml; do
	valid "$file"
done
run -f --export xml "sh" -c "'$PROGRAM'; true"
valid out
grep -q 'XML of the first process only' err || wrong "no word of the other processes"
"$MTRACE" --export xml:/does/not/exist "$PROGRAM" >out 2>err
[ $? = 125 ] || wrong "where nothing can be written"
exit $failed

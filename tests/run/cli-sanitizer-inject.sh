#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Neither run nor attached to.
cd "$OUT" || exit 1
timeout -k 5 30 "$MTRACE" --inject malloc:fail:when=1 "$PROGRAM" >out 2>err
[ $? = 125 ] && [ ! -s out ] && grep -q '^mtrace: --inject: .* is built with AddressSanitizer' err ||
	{ cat err; exit 1; }
# From a shell, which is none, it is left alone.
timeout -k 5 30 "$MTRACE" -f --inject malloc:fail:when=1:caller=cli-sanitizer sh -c "ASAN_OPTIONS=detect_leaks=0 $PROGRAM; exit \$?" >out 2>err
[ $? = 4 ] && grep -q 'is built with AddressSanitizer.* none of its requests' err || { cat err; exit 1; }

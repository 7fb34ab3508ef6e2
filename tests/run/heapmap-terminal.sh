# SPDX-License-Identifier: GPL-2.0-or-later
cd "$OUT" || exit 1
timeout 100 python3 "$(dirname "$0")/heapmap-terminal.py" "$MTRACE" "$PROGRAM"

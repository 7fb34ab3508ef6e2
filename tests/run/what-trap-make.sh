#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
command -v "$NM" >/dev/null || { echo "no $NM here"; exit 77; }
$NM "$PROGRAM" | sed -n 's/^0*\([0-9a-f]*\) T trapped$/0x\1/p' >offset

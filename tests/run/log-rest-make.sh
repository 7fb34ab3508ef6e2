#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The program with all that is known of it, and with nothing of that.
command -v "$OBJCOPY" >/dev/null || { echo "no $OBJCOPY"; exit 77; }
mkdir whole bare && cp "$PROGRAM" whole &&
	$OBJCOPY --strip-all -R .eh_frame -R .eh_frame_hdr "$PROGRAM" "bare/${PROGRAM##*/}"

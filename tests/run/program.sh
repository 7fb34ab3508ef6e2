#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The program drives mtrace itself.
"$PROGRAM" "$@"

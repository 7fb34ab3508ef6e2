#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
exec $CC -D_GNU_SOURCE -o harm-kcmp "${0%/*}/harm-kcmp.c"

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Likewise, in a library that is loaded by the program itself. */
#define rows_work plugin_work
#define rows_kept plugin_kept
#include "rows-lib.c"

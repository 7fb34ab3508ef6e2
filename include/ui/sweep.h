/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --inject sweep: the command run again and again, each time with the first request
 * of another caller made to fail. */
#ifndef MTRACE_UI_SWEEP_H
#define MTRACE_UI_SWEEP_H

#include "ui/options.h"

/* Prints what comes of it.  The exit status: 0, 1 when the command crashed,
 * aborted or hung, or what a run that cannot begin ends with. */
int sweep(struct options *o);

#endif

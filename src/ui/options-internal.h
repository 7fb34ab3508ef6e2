/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line and the configuration file share. */
#ifndef MTRACE_UI_OPTIONS_INTERNAL_H
#define MTRACE_UI_OPTIONS_INTERNAL_H

#include "ui/options.h"

/* Adds a probe of the user's.  0, or -1 after a message. */
int options_add_probe(struct options *o, const char *spec, enum alloc_op op);
/* Puts the default configuration file that exists, if any, into o->config. */
void options_find_config(struct options *o);

#endif

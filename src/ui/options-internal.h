/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the command line and the configuration file share. */
#ifndef MTRACE_UI_OPTIONS_INTERNAL_H
#define MTRACE_UI_OPTIONS_INTERNAL_H

#include "ui/options.h"

/* The option that may stand in configuration files under this name; NULL. */
const struct option_row *options_key(const char *name);
/* Applies an option; `arg` of one that takes none is yes or no.  0, or -1 after a
 * message. */
int options_set(struct options *o, const struct option_row *row, const char *arg);
/* Puts the default configuration file that exists, if any, into o->config. */
void options_find_config(struct options *o);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parser, the table and the configuration file share. */
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

/* A message about the command line, in one line.  −1. */
PRINTF_LIKE(1, 2) int options_wrong(const char *fmt, ...);

/* Finds the word that `arg`, n bytes long, is or begins unambiguously.  Its
 * index, or -1 after a message that lists what there is. */
int option_pick(const struct option_row *row, const char *arg, size_t n);
/* Decimal digits only: no sign, no blanks.  0 or -1 after a message. */
int option_number(const struct option_row *row, const char *arg, unsigned long min,
		  unsigned long max, unsigned long *out);

typedef int option_setter(struct options *o, const struct option_row *row, const char *arg);

/* Of row->field: these know nothing of the option. */
option_setter set_nothing, set_flag, clear_flag, set_value, set_number, set_word, set_string,
	add_string, set_time, set_fill;
/* Of a single option, or a few. */
option_setter set_verbose, set_pid, add_probe, add_env, set_sort, set_export, set_autoscan,
	set_no_autoscan, set_leak_check, set_leak_kinds, set_on_signal, set_between, set_why,
	add_suppressions, set_gen_suppressions, add_fail_if, add_injection;

#endif

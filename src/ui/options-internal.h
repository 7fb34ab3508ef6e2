/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parser, the table and the configuration file share. */
#ifndef MTRACE_UI_OPTIONS_INTERNAL_H
#define MTRACE_UI_OPTIONS_INTERNAL_H

#include <stddef.h>

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

/* What a row sets: the field, also to a value, or within bounds. */
#define AT(f) offsetof(struct options, f), sizeof ((struct options *)0)->f
#define FIELD(f) { AT(f), 0, 0 }
#define VALUE(f, value) { AT(f), value, 0 }
#define NUMBER(f, min, max) { AT(f), min, max }
#define NO_FIELD { 0, 0, 0, 0 }

/* -- what the host side adds: options-host.c; options-target.c has less where it is
 * not built (--without-client) ------------------------------------------------------ */

/* Its part of the table and of the words. */
const struct option_row *host_option_row(size_t i);
const char *host_option_word(enum option_word word, size_t i);
/* The default values; what follows from others when all are known: 0, or -1 after a
 * message. */
void host_options_init(struct options *o);
/* The words behind the options may be no command. */
void host_options_words(struct options *o);
/* Nothing is traced, a heap log is read. */
bool host_imports(const struct options *o);
int host_options_finish(struct options *o);
void host_options_release(struct options *o);
/* --help: the ways to call us that are left, and the end. */
void host_help_usage(struct strbuf *sb);
void host_help_end(struct strbuf *sb);
/* --list-commands: the console's. */
void host_list_commands(struct strbuf *sb);
/* What is said of an option that there is not, in brackets; "": nothing. */
extern const char host_unknown_hint[];

typedef int option_setter(struct options *o, const struct option_row *row, const char *arg);

/* Of row->field: these know nothing of the option. */
option_setter set_flag, clear_flag, set_value, set_number, set_word, set_string,
	add_string, set_time, set_fill;
/* Of a single option, or a few. */
option_setter set_verbose, set_pid, add_probe, add_env, set_autoscan, set_no_autoscan,
	set_leak_check, set_leak_kinds, set_on_signal, set_why, add_injection,
	set_trace;
/* options-limits.c, of the host side */
option_setter add_threshold, set_on_threshold;
int options_check_thresholds(struct options *o, bool traces);

#endif

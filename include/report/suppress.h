/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known and not to be told again, in the files that people own already:
 *
 *   LeakSanitizer's               Valgrind's ("Suppressing errors" in its manual)
 *   ─────────────────────         ──────────────────────────────────────────────
 *   # comment                     {
 *   leak:PATTERN                     a name
 *                                    Memcheck:Leak
 *   anywhere in the function,        match-leak-kinds: definite,possible
 *   file or module of any            fun:malloc        mangled names; * and ?
 *   frame; * is anything,            ...               any number of frames
 *   ^ and $ are the ends             obj:/usr/lib/libfoo.so*
 *                                    src:parse.c:40
 *                                 }
 *
 * The two are told apart by what the first line that counts begins with.  As
 * there: Valgrind's frames are matched from the innermost one, which is the
 * allocation function, and may end before the backtrace does; kinds of error
 * that are not Leak or Free are read and never match; LeakSanitizer's also
 * take what only hangs on the leak. */
#ifndef MTRACE_REPORT_SUPPRESS_H
#define MTRACE_REPORT_SUPPRESS_H

#include "base/types.h"

/* What may be suppressed: a leak of a class (enum leak_kind), or a bad release
 * (Memcheck:Free). */
enum { SUPPRESS_FREE = 7, SUPPRESS_KINDS = 8 };

struct suppress_frame {
	const char *function; /* readable; NULL: unknown */
	const char *symbol, *alias; /* as the linker sees it, and another such
				 name; NULL: unknown */
	const char *file;     /* NULL: unknown */
	unsigned line;
	const char *object;   /* path; NULL: none */
};

struct suppressions;

struct suppressions *suppressions_new(void);
void suppressions_free(struct suppressions *s);
/* Adds those of a file, or of a text (`name` is for messages).  0, or -1 after
 * messages. */
int suppressions_read(struct suppressions *s, const char *path);
int suppressions_parse(struct suppressions *s, const char *name, const char *text, size_t n);

size_t suppressions_count(const struct suppressions *s);
const char *suppression_name(const struct suppressions *s, size_t i);
/* Does it suppress what hangs on a leak, too? */
bool suppression_takes_held(const struct suppressions *s, size_t i);
/* The first one that matches, or −1. */
int suppressions_find(const struct suppressions *s, unsigned kind,
		      const struct suppress_frame *frames, size_t n);

/* What was found for a stack is kept here: reports look at the same ones again.
 * Index, −1, or −2: not known yet. */
int suppressions_known(const struct suppressions *s, uint32_t stack, unsigned kind);
void suppressions_keep(struct suppressions *s, uint32_t stack, unsigned kind, int index);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conditions on figures, as --fail-if takes them:
 *
 *   definite_bytes > 0 || (open_bytes > 10M && !failed)
 *
 *   or         = and { "||" and }
 *   and        = not { "&&" not }
 *   not        = "!" not | comparison
 *   comparison = value [ ("<" | "<=" | ">" | ">=" | "==" | "=" | "!=") value ]
 *   value      = NAME | NUMBER [K | M | G | T] | "(" or ")"
 *
 * A value alone is true when it is not 0; K is 1024.  What the names mean is
 * the caller's. */
#ifndef MTRACE_REPORT_CONDITION_H
#define MTRACE_REPORT_CONDITION_H

#include "base/types.h"

struct condition;

/* `find` gives the number of a name that is n bytes long, or −1.  NULL: it is
 * none, *why (the caller frees) says so in words. */
struct condition *condition_parse(const char *text, int (*find)(const char *name, size_t n),
				  char **why);
void condition_free(struct condition *c);
/* `value` gives the value of a name's number. */
bool condition_holds(const struct condition *c, uint64_t (*value)(void *arg, unsigned name),
		     void *arg);
/* Does it use a name of which `is` is true? */
bool condition_uses(const struct condition *c, bool (*is)(unsigned name));
/* As the user wrote it. */
const char *condition_text(const struct condition *c);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the reading of suppressions makes, and the matching uses. */
#ifndef MTRACE_SRC_REPORT_SUPPRESS_INTERNAL_H
#define MTRACE_SRC_REPORT_SUPPRESS_INTERNAL_H

#include "base/hash.h"
#include "base/vec.h"
#include "report/suppress.h"

enum suppress_item_kind { ITEM_FUN, ITEM_OBJ, ITEM_SRC, ITEM_DOTS };

/* A line of one of Valgrind's. */
struct suppress_item {
	enum suppress_item_kind kind;
	char *pattern; /* NULL: ITEM_DOTS */
};

struct suppress_rule {
	char *name;
	unsigned kinds;   /* bits 1 << enum leak_kind or SUPPRESS_FREE */
	char *anywhere;   /* LeakSanitizer's, as a glob; else NULL */
	VEC(struct suppress_item) items;
};

struct suppressions {
	VEC(struct suppress_rule) rules;
	struct u64map known; /* stack << 3 | kind → index + 1 */
};

void suppress_rule_release(struct suppress_rule *r);
/* `*` matches any characters, `?` (if `one`) a single one. */
bool suppress_glob(const char *pattern, const char *s, bool one);

#endif

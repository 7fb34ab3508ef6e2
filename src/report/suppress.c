/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "suppress-internal.h"

struct suppressions *suppressions_new(void)
{
	return xcalloc(1, sizeof(struct suppressions));
}

void suppress_rule_release(struct suppress_rule *r)
{
	for (size_t i = 0; i < r->items.n; i++)
		free(r->items.v[i].pattern);
	vec_release(&r->items);
	free(r->name);
	free(r->anywhere);
	*r = (struct suppress_rule){ 0 };
}

void suppressions_free(struct suppressions *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->rules.n; i++)
		suppress_rule_release(&s->rules.v[i]);
	vec_release(&s->rules);
	u64map_release(&s->known);
	free(s);
}

size_t suppressions_count(const struct suppressions *s)
{
	return s->rules.n;
}

const char *suppression_name(const struct suppressions *s, size_t i)
{
	return s->rules.v[i].name;
}

bool suppression_takes_held(const struct suppressions *s, size_t i)
{
	return s->rules.v[i].anywhere != NULL;
}

/* -- matching ------------------------------------------------------------------- */

/* When a piece between two stars is not where it was tried, it is tried one
 * character further on; earlier stars need not be reconsidered. */
bool suppress_glob(const char *pattern, const char *s, bool one)
{
	const char *star = NULL, *from = NULL;

	while (*s) {
		if (*pattern == '*') {
			star = pattern++;
			from = s;
		} else if (*pattern && (*pattern == *s || (one && *pattern == '?'))) {
			pattern++;
			s++;
		} else if (star) {
			pattern = star + 1;
			s = ++from;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

static bool glob(const char *pattern, const char *s, bool one)
{
	return s && suppress_glob(pattern, s, one);
}

/* "parse.c:40" or "parse.c" */
static bool at_source(const char *pattern, const struct suppress_frame *f)
{
	const char *base = f->file ? strrchr(f->file, '/') : NULL;
	char line[16];
	char *text;
	bool found;

	if (!f->file)
		return false;
	base = base ? base + 1 : f->file;
	snprintf(line, sizeof line, ":%u", f->line);
	text = xasprintf("%s%s", base, line);
	found = glob(pattern, base, true) || glob(pattern, f->file, true) ||
		glob(pattern, text, true);
	free(text);
	return found;
}

static bool item_matches(const struct suppress_item *item, const struct suppress_frame *f)
{
	switch (item->kind) {
	case ITEM_FUN:
		return glob(item->pattern, f->symbol, true) || glob(item->pattern, f->alias, true);
	case ITEM_OBJ: return glob(item->pattern, f->object ? f->object : "", true);
	case ITEM_SRC: return at_source(item->pattern, f);
	default:       return false;
	}
}

/* As suppress_glob: `...` is the star, frames are the characters, and behind
 * the last item anything may come. */
static bool items_match(const struct suppress_rule *r, const struct suppress_frame *f, size_t n)
{
	size_t item = 0, i = 0, dots = SIZE_MAX, from = 0;

	while (item < r->items.n) {
		if (r->items.v[item].kind == ITEM_DOTS) {
			dots = item++;
			from = i;
		} else if (i < n && item_matches(&r->items.v[item], &f[i])) {
			item++;
			i++;
		} else if (dots != SIZE_MAX && from < n) {
			item = dots + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	return true;
}

static bool anywhere_matches(const char *pattern, const struct suppress_frame *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (glob(pattern, f[i].function, false) || glob(pattern, f[i].file, false) ||
		    glob(pattern, f[i].object, false))
			return true;
	return false;
}

int suppressions_find(const struct suppressions *s, unsigned kind,
		      const struct suppress_frame *frames, size_t n)
{
	for (size_t i = 0; i < s->rules.n; i++) {
		const struct suppress_rule *r = &s->rules.v[i];

		if (!(r->kinds >> kind & 1))
			continue;
		if (r->anywhere ? anywhere_matches(r->anywhere, frames, n)
				: items_match(r, frames, n))
			return (int)i;
	}
	return -1;
}

/* -- what was found ---------------------------------------------------------------- */

static uint64_t key(uint32_t stack, unsigned kind)
{
	return (uint64_t)stack << 3 | kind;
}

int suppressions_known(const struct suppressions *s, uint32_t stack, unsigned kind)
{
	uint64_t *at = u64map_get(&s->known, key(stack, kind));

	return at ? (int)*at - 1 : -2;
}

void suppressions_keep(struct suppressions *s, uint32_t stack, unsigned kind, int index)
{
	u64map_set(&s->known, key(stack, kind), (uint64_t)(index + 1));
}

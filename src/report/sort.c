/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "view.h"

static uint64_t usage(const struct view_stack *s) { return s->open_bytes; }
static uint64_t allocations(const struct view_stack *s) { return s->open_blocks; }
static uint64_t average(const struct view_stack *s)
{
	return s->open_blocks ? s->open_bytes / s->open_blocks : 0;
}
static uint64_t total(const struct view_stack *s) { return s->total_blocks; }
static uint64_t failed(const struct view_stack *s) { return s->failed; }
static uint64_t mismatched(const struct view_stack *s) { return s->mismatched; }
static uint64_t badfree(const struct view_stack *s) { return s->badfree; }
static uint64_t errors(const struct view_stack *s) { return s->errors; }
static uint64_t stacks(const struct view_stack *s) { return UINT32_MAX - s->order; }
static uint64_t tsc(const struct view_stack *s) { return s->last_ns; }

static const struct report_sort keys[] = {
	{ "usage", "bytes in use", usage, false, false, false },
	{ "allocations", "blocks in use", allocations, false, false, false },
	{ "average", "average size of the blocks in use", average, false, false, false },
	{ "total", "allocations ever made, released ones too", total, true, false, false },
	{ "failed", "requests refused", failed, false, false, false },
	{ "mismatched", "mismatched releases of blocks allocated there", mismatched, false, true, false },
	{ "badfree", "double and invalid releases of blocks allocated there", badfree, false, true, false },
	{ "errors", "all heap errors with blocks allocated there", errors, false, true, false },
	{ "stacks", "when the stack was first seen, released ones too", stacks, true, false, true },
	{ "tsc", "when the stack last allocated", tsc, false, false, true },
};

const struct report_sort *report_sort_lookup(const char *name)
{
	const struct report_sort *found = NULL;
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (strncmp(keys[i].name, name, n))
			continue;
		if (!keys[i].name[n])
			return &keys[i];
		if (found || !n) {
			errno = ENOTUNIQ;
			return NULL;
		}
		found = &keys[i];
	}
	if (!found)
		errno = ENOENT;
	return found;
}

const char *report_sort_name(size_t i)
{
	return i < ARRAY_SIZE(keys) ? keys[i].name : NULL;
}

const char *report_sort_help(size_t i)
{
	return i < ARRAY_SIZE(keys) ? keys[i].help : NULL;
}

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that make the JSON export share. */
#ifndef MTRACE_SRC_REPORT_JSON_H
#define MTRACE_SRC_REPORT_JSON_H

#include <jansson.h>

#include "view.h"

struct json {
	const struct heap *heap;
	struct symbolizer *sym;
	const struct report_opts *opts;
};

void json_put(json_t *o, const char *key, json_t *value);
json_t *json_number(uint64_t v);
/* NULL is null. */
json_t *json_text(const char *s);
json_t *json_frames(struct json *j, const struct heap_stack *s);
json_t *json_leak_kind(enum leak_kind kind);

/* json-diff.c: of a process; of what is compared with.  null without --diff. */
json_t *json_diff(struct json *j, const struct diff *d, const struct view_diff *vd);
json_t *json_diff_with(struct json *j, const struct diff *d);

json_t *json_address(uint64_t v);
/* json-blocks.c: --list; null without. */
json_t *json_blocks(struct json *j, const struct heap_proc *p);
/* json-heap.c: null where it is not known what memory the heap has. */
json_t *json_heap(struct json *j, const struct heap_proc *p);

#endif

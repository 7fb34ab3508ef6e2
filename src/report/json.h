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

/* json-values.c.  Integers of JSON are signed here: what is larger is said to be the
 * largest. */
json_t *json_number(uint64_t v);
json_t *json_address(uint64_t v);
/* NULL is null; what is no UTF-8 becomes '?'. */
json_t *json_text(const char *s);
void json_put(json_t *o, const char *key, json_t *value);
void json_put_number(json_t *o, const char *key, uint64_t v);
/* A time of a process since its beginning; null: its log knows no times. */
void json_put_time(json_t *o, const char *key, const struct heap_proc *p, uint64_t from,
		   uint64_t ns);
/* All of them; those down to main alone. */
json_t *json_frames(struct json *j, const struct heap_stack *s);
json_t *json_frames_to_main(struct json *j, const struct heap_stack *s);
/* "complete", …; NULL is "none". */
const char *json_end_name(const struct heap_stack *s);
/* null: not known, or none. */
json_t *json_backtrace(struct json *j, uint32_t id);
json_t *json_product(const struct heap_product *p);
json_t *json_data(const uint8_t *data, unsigned n);

/* json-stacks.c: everything that a report could list, in its order: most in use first. */
json_t *json_stacks(struct json *j, const struct view *v);
json_t *json_marks(const struct view *v);

/* json-leaks.c; null where there was no scan. */
json_t *json_leak_kind(enum leak_kind kind);
json_t *json_scan(const struct heap_scan *s);
json_t *json_leak_kinds(const struct view *v);
json_t *json_leak_stacks(struct json *j, const struct view *v);
json_t *json_leak_blocks(const struct view *v);
json_t *json_suppressed(struct json *j, const struct view *v);
/* --why=ADDR */
json_t *json_asked(struct json *j, const struct heap_scan *s);

/* json-errors.c */
json_t *json_errors(struct json *j, const struct view_proc *vp);
json_t *json_suspects(struct json *j, const struct heap_proc *p);

/* json-oom.c */
json_t *json_out_of_memory(struct json *j, const struct heap_proc *p);

/* json-diff.c: of a process; of what is compared with.  null without --diff. */
json_t *json_diff(struct json *j, const struct diff *d, const struct view_diff *vd);
json_t *json_diff_with(struct json *j, const struct diff *d);

/* json-blocks.c: --list; null without. */
json_t *json_blocks(struct json *j, const struct heap_proc *p);
/* json-heap.c: null where it is not known what memory the heap has. */
json_t *json_heap(struct json *j, const struct heap_proc *p);

#endif

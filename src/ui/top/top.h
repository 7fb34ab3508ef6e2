/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of --top share: data.c knows figures, draw.c the screen, run.c what
 * happens when. */
#ifndef MTRACE_SRC_UI_TOP_TOP_H
#define MTRACE_SRC_UI_TOP_TOP_H

#include "base/strbuf.h"
#include "base/vec.h"
#include "report/live.h"
#include "ui/top.h"

/* -- figures (data.c) ---------------------------------------------------------------- */

enum top_key { TOP_BYTES, TOP_BLOCKS, TOP_BYTE_RATE, TOP_CALL_RATE, TOP_FAILED, TOP_LOST, TOP_KEYS };

struct top_row {
	struct report_row is;
	uint64_t byte_rate, call_rate; /* a second, since the last sample */
};

/* What the graph shows: the last samples, one a second. */
enum { TOP_HISTORY = 600 };
struct top_history {
	uint64_t v[TOP_HISTORY]; /* sample i is at i % TOP_HISTORY */
	uint64_t n;              /* samples ever taken */
};

struct top_data {
	const struct heap_proc *proc; /* NULL: none is known */
	pid_t pid;                    /* wanted; 0: any */
	enum top_key key;
	VEC(struct top_row) rows;     /* highest first */
	uint64_t alloc_rate, free_rate, byte_rate;
	struct top_history history;
	/* of the sample before */
	uint64_t at_ns;               /* 0: there was none */
	size_t nth;                   /* whose it was */
	uint64_t allocs, frees, bytes;
	struct u64map stacks;         /* stack → index into … */
	VEC(struct report_row) before;
};

/* Figures as they are now; NULL: no process is known. */
void top_sample(struct top_data *d, const struct heap *heap, uint64_t now_ns);
void top_sort(struct top_data *d);
/* Shows the next process from now on. */
void top_next_process(struct top_data *d, const struct heap *heap);
void top_data_release(struct top_data *d);
uint64_t top_value(const struct top_row *row, enum top_key key);

/* How much it grew in a second, when in `ns` it went from `before` to `now`. */
uint64_t top_rate(uint64_t before, uint64_t now, uint64_t ns);
void top_history_add(struct top_history *h, uint64_t v);
/* How many samples share a column of the graph that has so many. */
unsigned top_per_column(const struct top_history *h, unsigned columns);
/* The highest sample of each column, oldest first; at most `columns`.  How many. */
unsigned top_columns(const struct top_history *h, unsigned columns, uint64_t *out);
/* The height of a bar in eighths of a line: all of `lines` at `max`; what is not 0 has
 * at least one. */
unsigned top_eighths(uint64_t v, uint64_t max, unsigned lines);
/* In at most six columns: "9999", "12.3k", "45.6G".  unit: 1000, or 1024. */
void top_human(struct strbuf *sb, uint64_t v, unsigned unit);

/* -- the screen (draw.c) --------------------------------------------------------------- */

struct top_screen {
	bool utf8;
	uint32_t selected;     /* a stack, when `follows` … */
	size_t at;             /* … or the nth row */
	bool follows;
	size_t first;          /* row at the top of the list */
	size_t list_rows;      /* that fit */
	bool paused, ended;
	char *status;          /* the last line, until the next key; NULL */
	uint32_t unnamed;      /* a row that is shown has no name yet … */
	bool any_unnamed;      /* … this one */
	/* a text in place of the list */
	char *page_title;      /* NULL: the list is shown */
	struct strings page;
	size_t page_first;
};

/* 0, or -1 after a message. */
int top_screen_begin(struct top_screen *s);
void top_screen_end(void);
void top_screen_release(struct top_screen *s);
/* The terminal's size has changed, or others wrote on it. */
void top_screen_resize(void);
void top_screen_again(void);
/* What to poll(2); the next key, or -1. */
int top_screen_fd(void);
int top_screen_key(void);
void top_draw(struct top_screen *s, const struct top_data *d, const struct heap *heap,
	      const struct report_names *names);
/* A text instead of the list, taken over; lines end with \n. */
void top_page_open(struct top_screen *s, char *title, const char *text);
void top_page_close(struct top_screen *s);
/* What was said last of what waits; NULL: nothing new.  The caller frees. */
char *top_messages_last(void);

#endif

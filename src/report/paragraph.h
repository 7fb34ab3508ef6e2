/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One paragraph of the text report (stacks.c): a heading, what was called, the
 * frames, each line with a left and a right part. */
#ifndef MTRACE_SRC_REPORT_PARAGRAPH_H
#define MTRACE_SRC_REPORT_PARAGRAPH_H

#include "text.h"

struct line {
	char *left, *right;
	enum style left_style, right_style;
};

struct paragraph {
	const char *label;
	enum style label_style;
	char *amount;  /* "4,000 bytes in 50 blocks" */
	char *hint;    /* "63 % of use", or NULL */
	size_t number; /* 0: none */
	VEC(struct line) lines;
};

void paragraph_release(struct paragraph *p);
/* Columns that a hint may take. */
size_t paragraph_hint_room(const struct text *t, const struct paragraph *p);
void paragraph_print(struct text *t, struct paragraph *p);
/* left and right are taken over. */
void paragraph_line(struct paragraph *p, char *left, char *right, enum style left_style,
		    enum style right_style);
/* malloc(80), malloc(16…4096), calloc(10, 8); min > max: no sizes.  right is
 * taken over. */
void paragraph_operation(struct paragraph *p, const struct view_stack *s, uint64_t min,
			 uint64_t max, const struct heap_product *product, char *right);
void paragraph_frames(struct text *t, struct paragraph *p, const struct view_stack *s);
/* Of blocks older than the attach: instead of a caller their sizes, and what they
 * all point to. */
void paragraph_older(struct text *t, struct paragraph *p, const struct view_stack *s);
/* "63 % of use", for what holds much of it; NULL. */
char *paragraph_share(uint64_t bytes, uint64_t use);
/* "50 allocated, none freed" */
char *paragraph_fate(const struct view_stack *s);
/* How many paragraphs a list may have … */
size_t paragraph_limit(const struct text *t);
/* … and the line for the n others: "… 43 more stacks hold 2,104 bytes (0.8 %):
 * -m 0", of `use` bytes in all, 0: no percentage. */
void paragraph_rest(struct text *t, size_t n, const char *verb, uint64_t bytes, uint64_t use);

#endif

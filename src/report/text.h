/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files that make the text report share. */
#ifndef MTRACE_SRC_REPORT_TEXT_H
#define MTRACE_SRC_REPORT_TEXT_H

#include "base/strbuf.h"
#include "frames.h"
#include "view.h"

struct text {
	struct strbuf *out;
	const struct heap *heap;
	const struct report_opts *opts;
	struct symbolizer *sym;
	bool to_file;          /* everything, highest first */
	bool color;
	bool utf8;             /* shades and the like can be shown */
	bool whole;            /* names are not shortened */
	unsigned width;        /* 0: no limit */
	bool begun;            /* something was printed: a blank line comes
				  before the next section */
	VEC(const char *) nameless; /* modules of which no name was known */
};

enum style { PLAIN, DIM, BOLD, RED, YELLOW };

void style_on(struct text *t, enum style style);
void style_off(struct text *t, enum style style);
/* A text that begins, with what it is about; and its end. */
void text_open(struct text *t, struct view_procs *vp, const struct heap *heap,
	       const struct report_opts *opts, const struct report_page *page);
void text_close(struct text *t, struct view_procs *vp, struct strbuf *out);
/* Appends what was written to t->out, styles made into escape sequences or
 * left out, and any other control character (from a file's name, say) made
 * harmless. */
void text_finish(struct text *t, struct strbuf *to);
/* Columns that a UTF-8 string takes (no wide characters in ours). */
size_t text_columns(const char *s);
void text_pad(struct strbuf *sb, size_t have, size_t want);
/* name in at most `max` columns, what tells least replaced by …; the caller
 * frees. */
char *text_shorten(const char *name, size_t max);
/* "1 block", "12,345 blocks" */
void text_count(struct strbuf *sb, uint64_t n, const char *noun);
/* "6,326 bytes in 55 blocks" */
void text_amount(struct strbuf *sb, uint64_t bytes, uint64_t n, const char *noun);
/* "0.8 %", "63 %" */
void text_percent(struct strbuf *sb, uint64_t part, uint64_t whole);
/* A blank line, unless nothing stands above. */
void text_section(struct text *t);

/* stacks.c: the paragraphs of one process */
void text_stacks(struct text *t, const struct view *v, const struct diff *d);
/* Those that hold blocks; one of the rows. */
void text_in_use(struct text *t, const struct view *v);
void text_row(struct text *t, const struct view *v, const struct view_stack *s);
/* Only the requests that failed (-q). */
void text_failed(struct text *t, const struct view *v);
/* A backtrace with what was called as its first line (taken over, as the hint on
 * its right is), indented, in columns of its own. */
void text_backtrace(struct text *t, const struct heap_stack *stack, char *operation, char *hint);
/* The innermost frame that is no library's, and where it is: "add_user
 * leaky.c:22", after the function of the library that was called there:
 * "strdup, …". */
void text_caller(struct text *t, struct strbuf *sb, const struct heap_stack *s);

/* block-list.c: every open block, of all processes or opts->pid (--list). */
void text_open_blocks(struct text *t);

/* leaks.c: what the last scan found, by caller.  Of the blocks, those of the
 * classes that are wanted. */
void text_leaks(struct text *t, const struct view *v);
/* What it found of a block that was asked about, or points to the largest of a
 * leak's. */
void text_asked(struct text *t, const struct heap_asked *a);
void text_leak(struct text *t, const struct view *v, const struct view_leak *l);
/* Is it one of those that are listed? */
bool text_wants_leak(const struct text *t, const struct view_leak *l);
/* suppressions.c: for each of them a suppression (--gen-suppressions). */
void text_suppressions(struct text *t, const struct view_procs *vp);
/* marks.c: what was allocated between two marks and is still open. */
void text_grown(struct text *t, const struct view *v);

/* diff.c: of a process, with --diff in place of the lists of stacks; "3 stacks new,
 * 1 gone"; what to know about it; its part of the verdict. */
void text_diff(struct text *t, const struct diff *d, const struct view_diff *vd);
bool diff_differs(const struct diff_list *l);
void text_diff_changes(struct strbuf *sb, const size_t n[DIFF_CHANGES]);
void text_diff_notes(struct text *t, const struct diff *d);
void text_diff_verdict(struct text *t, const struct diff *d);

/* errors.c: the errors of a process with all its images; "2 double free, 1 …" */
void text_errors(struct text *t, const struct view_proc *p);
void text_error_kinds(struct strbuf *sb, const struct view_proc *p);

/* suspects.c: ", most of read_line leaky.c:10"; nothing, of blocks that nobody was
 * seen to allocate.  One of them, and what may be behind it. */
void text_suspect(struct text *t, struct strbuf *sb, const char *word,
		  const struct heap_suspects *s);
void text_suspect_line(struct text *t, struct strbuf *sb, const char *word,
		       const struct heap_proc *p, const struct heap_suspect *s);

/* oom.c: what the report leads with when memory ran out. */
void text_out_of_memory(struct text *t, const struct view_procs *vp);

/* summary.c */
void text_summary(struct text *t, const struct view_proc *p);

/* proc-table.c */
void text_table(struct text *t, const struct view_procs *vp);
/* Of several processes: has this one anything to say, or does its line in the table
 * do?  Everything is wanted in a file. */
bool text_proc_speaks(const struct text *t, const struct view_proc *p);
/* All processes, a line each. */
void text_proclist(struct text *t, const struct view_procs *vp);

/* verdict.c */
void text_hints(struct text *t, const struct view_procs *vp);
void text_notes(struct text *t, bool only_bad);
void text_verdict(struct text *t, const struct view_procs *vp);

/* heapinfo.c: of a process, with --heapmap. */
void text_heap(struct text *t, const struct heap_proc *p);

/* exit-status.c: which --fail-if are true, and of whom; does any? */
void text_failures(struct text *t, const struct view_procs *vp);
bool view_fails(const struct view_procs *vp, const struct report_opts *opts);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the report formats share: processes with their images, and a process's
 * stacks with identical backtraces merged. */
#ifndef MTRACE_SRC_REPORT_VIEW_H
#define MTRACE_SRC_REPORT_VIEW_H

#include "report/report.h"

/* One caller: the same operation from the same places. */
struct view_stack {
	const struct heap_stack *stack; /* one of those merged; NULL: none taken */
	const struct heap_probe *probe; /* NULL: unknown */
	bool mapping;
	bool older;            /* of the census; total_… is what it found */
	bool release;          /* -S: a caller that releases; total_… is how much */
	bool ignored;          /* has a frame that the user does not want */
	uint32_t order;        /* of first use in the process */
	uint64_t open_blocks, open_bytes;
	uint64_t total_blocks, total_bytes;
	uint64_t released;     /* blocks */
	uint64_t min_size, max_size;
	uint64_t failed, failed_min, failed_max;
	struct heap_product product, failed_product;
	uint64_t last_ns;
	uint64_t lost_blocks, lost_bytes; /* definitely, indirectly or possibly */
	uint64_t mismatched, badfree, errors; /* of blocks allocated here */
};

/* What hangs on lost blocks, by its own caller. */
struct view_held {
	const struct view_stack *row;
	uint64_t blocks, bytes;
};

/* Blocks of one class from one caller. */
struct view_leak {
	const struct view_stack *row;
	enum leak_kind kind;
	uint64_t blocks, bytes;
	uint64_t held_blocks, held_bytes; /* of `held` in all */
	VEC(struct view_held) held;       /* of LEAK_DEFINITE */
	const struct heap_leak *sample;   /* what has the largest block */
	bool suppressed;                  /* and not counted any more */
	size_t id;                        /* in leak_ids */
};

/* What one suppression matched. */
struct view_suppressed {
	size_t rule;
	size_t leaks; /* rows of v->leaks */
	uint64_t blocks, bytes;
	uint64_t errors; /* all of them are counted */
};

/* A heap error of one of a process's images. */
struct view_error {
	const struct heap_proc *image;
	const struct heap_error *e;
	size_t row; /* of the last image's stacks, where its block counts; or NO_ROW */
};

#define NO_ROW SIZE_MAX

/* What is open that one caller allocated between one mark and the next. */
struct view_aged {
	size_t row;     /* index into the view's stacks */
	uint32_t mark;
	uint64_t blocks, bytes;
};

/* Where unwinding stopped short. */
struct view_broken {
	const char *path;      /* of the last frame's module; "" none */
	uint64_t n;
};

/* -- --diff ------------------------------------------------------------------- */

enum diff_change { DIFF_NEW, DIFF_GROWN, DIFF_SHRUNK, DIFF_GONE, DIFF_SAME, DIFF_CHANGES };

/* One caller, as a person would call it, in two runs: identical operations from
 * the same functions. */
struct diff_row {
	struct view_stack is, was; /* what was counted there, added up */
	enum leak_kind kind;       /* of leaks */
	uint64_t blocks, bytes, old_blocks, old_bytes;
	size_t nth;                /* in order of first sight */
};

struct diff_list {
	VEC(struct diff_row) v;    /* largest difference first */
	size_t n[DIFF_CHANGES];    /* how many of each kind */
	uint64_t blocks, bytes, old_blocks, old_bytes; /* in all, of ignored callers too */
};

/* A process and its counterpart; one of them may be missing. */
struct view_diff {
	const struct view_proc *is, *was;
	struct diff_list use;
	struct diff_list leaks;    /* of the classes that are listed … */
	bool scanned;              /* … where both have looked for leaks */
};

struct diff;

struct view {
	const struct heap *heap;
	const struct heap_proc *proc;
	VEC(struct view_stack) stacks;
	VEC(struct view_aged) aged;     /* by row, then by mark */
	VEC(struct view_leak) leaks;    /* what matters most first */
	struct u64map leak_ids;         /* stack << 2 | kind → a leak's id */
	uint64_t kind_blocks[LEAK_KINDS], kind_bytes[LEAK_KINDS];
	VEC(struct view_suppressed) suppressed; /* most bytes first */
	uint64_t suppressed_blocks, suppressed_bytes; /* not in kind_… */
	uint64_t suppressed_errors; /* not in errors */
	uint64_t own_blocks, own_bytes; /* in use, without inherited ones */
	uint64_t inherited_blocks, inherited_bytes;
	uint64_t errors;       /* earlier images' too */
	uint64_t unwound, cut, broken;
	uint64_t frames;       /* of these stacks, as far as told how they were found … */
	uint64_t origin[FRAME_ORIGINS]; /* … and how */
	VEC(struct view_broken) broke_in;
	const struct view_diff *diff; /* NULL: there is nothing to compare with */
};

struct report_sort {
	const char *name, *help;
	uint64_t (*value)(const struct view_stack *);
	bool all;  /* also stacks with nothing open */
	bool some; /* … whose value is not 0 */
	bool moment; /* the value is no amount */
};

/* A process: its images in order, the last one is what it is now. */
struct view_proc {
	VEC(const struct heap_proc *) images;
	VEC(struct view_error) errors; /* all images'; of those suppressed none */
	struct view now;
};

struct view_procs {
	VEC(struct view_proc) v; /* in order of their beginning */
	struct diff *diff;       /* NULL: without --diff */
};

void view_procs_build(struct view_procs *vp, const struct heap *heap);
void view_procs_release(struct view_procs *vp);
/* One image alone. */
void view_image_build(struct view_proc *vp, const struct heap *heap, const struct heap_proc *p);
void view_proc_release(struct view_proc *p);
/* Takes out all but one process (and what had its pid before). */
void view_procs_keep(struct view_procs *vp, pid_t pid);

/* Marks the stacks that opts->ignore matches (stacks.c). */
struct symbolizer;
struct report_opts;
void view_ignore(struct view *v, struct symbolizer *sym, const struct report_opts *opts);

enum view_kind { VIEW_HEAP, VIEW_MAPPED, VIEW_FAILED, VIEW_RELEASED };

/* The stacks of one kind that a report lists, highest first; the caller frees
 * *out.  Returns how many. */
size_t view_select(const struct view *v, enum view_kind kind, const struct report_sort *sort,
		   const struct view_stack ***out);

/* From the heap's marks to v->aged; `rows` as view_row() has it. */
void view_marks_build(struct view *v, struct u64map *rows);
/* Where a row's begin in v->aged, or would. */
size_t view_first_aged(const struct view *v, size_t row);
/* Which marks opts->between means: what was allocated after *from (0: whenever)
 * and before *to (UINT32_MAX: until now).  False: there are no marks. */
bool view_between(const struct heap *heap, const struct report_opts *opts, uint32_t *from,
		  uint32_t *to);
/* Sums over the marks from `from` to before `to`, 0 being what is older than the
 * first one: of one row … */
void view_row_between(const struct view *v, size_t row, uint32_t from, uint32_t to,
		      uint64_t *blocks, uint64_t *bytes);
/* … and of all the process's own blocks. */
void view_all_between(const struct view *v, uint32_t from, uint32_t to, uint64_t *blocks,
		      uint64_t *bytes);

/* From the last leak scan to v->leaks; `rows` as view_row() has it. */
void view_leaks_build(struct view *v, struct u64map *rows);
void view_leaks_release(struct view *v);
/* Is it one that reports list, and so has a number in the text? */
bool view_lists_leak(const struct report_opts *opts, const struct view_leak *l);
/* Takes out what opts->suppressions match. */
struct symbolizer;
void view_suppress(struct view_procs *vp, const struct report_opts *opts, struct symbolizer *sym);
/* Can suppressions be about errors of this kind?  Memcheck:Free's. */
bool error_is_of_free(enum error_kind kind);
/* Which of opts->suppressions (may be NULL) matches this kind of thing there; −1: none. */
int suppression_of(const struct heap *heap, const struct report_opts *opts, struct symbolizer *sym,
		   uint32_t stack, unsigned kind);
/* The row that a stack counts in, as an index: one that is there, or a new
 * one. */
size_t view_row(struct view *v, struct u64map *rows, const struct heap_stack *s);

/* Did the process itself do anything there?  Blocks that it inherited and has
 * lost bring rows without counts. */
static inline bool view_counts(const struct view_stack *s)
{
	return s->total_blocks || s->failed;
}

/* view-diff.c: compares with opts->diff, after view_suppress() and view_ignore();
 * without it does nothing.  The processes of the older run that have no counterpart
 * come after the others. */
void view_diff_build(struct view_procs *vp, const struct report_opts *opts,
		     struct symbolizer *sym);
void diff_free(struct diff *d);
size_t diff_count(const struct diff *d);
const struct view_diff *diff_at(const struct diff *d, size_t i);
/* Of the older run: what gives its frames names. */
struct symbolizer *diff_symbolizer(const struct diff *d);
/* A binary of the older run that is not there any more, so that its functions have
 * no names; NULL. */
const char *diff_missing(const struct diff *d);
enum diff_change diff_change(const struct diff_row *row);
/* What -a compares, or what is in use. */
const struct diff_list *diff_listed(const struct view_diff *d, const struct report_opts *opts);

/* "definitely lost" */
const char *view_leak_name(enum leak_kind kind);

/* "exited with status 0", "was killed by SIGSEGV", "is still running". */
void view_status(struct strbuf *sb, const struct heap_proc *p);
/* "leaky (pid 12)", "boot.log (mbed heap log)" */
void view_who(struct strbuf *sb, const struct heap_proc *p);
/* From one of its times to another: "0.02 s", or of a log that knows no times "12
 * records"; the number alone. */
void view_elapsed(struct strbuf *sb, const struct heap_proc *p, uint64_t from, uint64_t to);
void view_elapsed_number(struct strbuf *sb, const struct heap_proc *p, uint64_t from, uint64_t to);
/* Ended by itself, so that "at exit" is right. */
bool view_exited(const struct heap_proc *p);
/* The function's name without its parameters: "operator new[]". */
void view_op_name(struct strbuf *sb, const struct heap_probe *probe);

/* suspects.c: who was involved in what points to a way into the allocator that is not
 * observed, most often first; the caller frees *list. */
enum suspect_kind {
	SUSPECT_UNKNOWN,
	SUSPECT_INLINED, /* the allocator is part of the caller's own module: a part of
			    it may be inlined there */
	SUSPECT_ENTRY,   /* it is another one: some function of it is not observed */
};
size_t view_suspects(const struct heap_suspects *s, struct heap_suspect **list);
enum suspect_kind view_suspect_kind(const struct heap *heap, const struct heap_proc *p,
				    const struct heap_suspect *s);

/* errors.c: "double free"; what lies at an address that is no block. */
const char *error_kind_name(enum error_kind kind);
/* "double free of 0x55d0c2a0 (80 bytes)" */
void error_what(struct strbuf *sb, struct symbolizer *sym, const struct heap *heap,
		const struct heap_error *e);
void error_place(struct strbuf *sb, struct symbolizer *sym, const struct heap *heap,
		 const struct heap_error *e);

#endif

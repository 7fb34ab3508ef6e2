/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports of what a heap (heap/heap.h) knows: text for people, JSON for
 * programs (doc/JSON.md), and the line that --calls prints for each call.
 * Nothing here changes the heap; a report may be made while the program runs
 * (processes without an end are "still running"). */
#ifndef MTRACE_REPORT_REPORT_H
#define MTRACE_REPORT_REPORT_H

#include "elf/elf_file.h"
#include "heap/heap.h"
#include "report/condition.h"
#include "report/suppress.h"

#define REPORT_DEFAULT_STACKS 10

/* --trace: each call in the format of … */
enum trace_format {
	TRACE_NOTHING,
	TRACE_MBED,  /* … mbed OS's memory tracing */
	TRACE_GLIBC, /* … glibc's mtrace(3) */
};

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Where functions and lines come from; NULL in the options: from the ELF files
 * and their debug information. */
struct report_symbols {
	/* As elf_file_lines; vaddr is in the file. */
	int (*lines)(void *arg, const struct heap_module *m, taddr_t vaddr,
		     void (*fn)(void *fn_arg, const struct source_frame *), void *fn_arg);
	void *arg;
};

struct report_sort;
struct report_block;

struct report_opts {
	const char *output;    /* -o: NULL stderr, "-" stdout, else a file in
				  which %p stands for the pid */
	int output_fd;         /* >= 0: `output` is open already (--calls) */
	const char *json;      /* --export json: NULL none, "-" stdout, or a file */
	const char *xml;       /* --export xml, likewise */
	char *const *words;    /* our own command line (for XML).  May be NULL … */
	char *const *command;  /* … and what of it is the launched command */
	const struct report_sort *sort; /* NULL: usage */
	int max_stacks;        /* -m: 0 all; below 0: all in a file, else
				  REPORT_DEFAULT_STACKS */
	bool long_form;        /* -L: whole names, frames below main, modules */
	bool quiet;            /* -q */
	int verbose;           /* -v */
	bool no_demangle;
	bool list_leaks;       /* -a: leaks by stack instead of all open blocks */
	unsigned leak_kinds;   /* of these: bits 1 << enum leak_kind */
	enum color_mode color;
	unsigned width;        /* columns; 0: the terminal's, else 100; no limit
				  in a file */
	const char *const *ignore; /* NULL-terminated extended regular
				  expressions: stacks with a matching frame are
				  not listed.  May be NULL */
	const char *const *binpath; /* NULL-terminated: folders to look for
				  binaries in first.  May be NULL */
	const char *cwd;       /* where binaries' names that are not absolute
				  begin; NULL: nowhere */
	bool sanity;           /* -S: who released how much, too */
	volatile const int *interrupted; /* non-zero: look nothing up any more.
				  May be NULL */
	bool between;          /* --between: what was allocated after one mark … */
	uint32_t from, to;     /* … (0: the beginning) and before another
				  (UINT32_MAX: the end) */
	struct suppressions *suppressions; /* may be NULL */
	bool gen_suppressions; /* --gen-suppressions */
	int error_exitcode;    /* --error-exitcode; 0: none */
	struct condition *const *fail_if; /* NULL-terminated.  May be NULL */
	const struct report_symbols *symbols;
	pid_t pid;             /* the text: of this process alone; 0: of all */
	const char *more;      /* how to see more stacks; NULL: "-m 0" */
	const struct heap *diff; /* --diff: an older run; NULL: none … */
	const char *diff_name;   /* … and what to call it */
	enum trace_format trace; /* --trace; then … */
	const char *trace_output; /* … -o is where it goes: as `output` */
	bool list_blocks;      /* --list: every open block … */
	/* … of which the heap knows no addresses: those of a process, which the caller
	 * frees, and how many */
	size_t (*blocks)(void *arg, pid_t pid, struct report_block **out);
	void *blocks_arg;
	bool source;           /* --source: lines of source, too */
	const char *const *source_path; /* NULL-terminated: folders to look for source
				  files in first.  May be NULL */
	const struct report_heaps *heaps; /* --heapmap (report/heapinfo.h); NULL: no */
	/* Why the last refused request of a process could not succeed.  NULL, as may be what
	 * it returns: nobody knows */
	const struct report_refusal *(*refusal)(void *arg, pid_t pid);
	void *refusal_arg;
};

/* Of a heap that cannot grow. */
struct report_refusal {
	const char *why;       /* "1,204 bytes free in 17 pieces, …" */
	bool no_room;          /* there was no place for it, as far as is known */
	bool told;             /* on the standard error, when it happened */
};

static inline const struct report_refusal *report_refusal_of(const struct report_opts *opts, pid_t pid)
{
	return opts->refusal ? opts->refusal(opts->refusal_arg, pid) : NULL;
}

#define REPORT_LEAK_KINDS (1u << LEAK_DEFINITE | 1u << LEAK_POSSIBLE)
#define REPORT_OPTS_INIT { .output_fd = -1, .max_stacks = -1, .leak_kinds = REPORT_LEAK_KINDS }

/* Everything the options ask for: the text (to stderr or -o), the export.  0,
 * or -errno of the first output that failed, after a message that names it. */
int report_write(const struct heap *heap, const struct report_opts *opts);
/* Whether what is written to fd is coloured. */
bool report_use_color(const struct report_opts *opts, int fd);
/* Is fd a terminal of which the locale says that it shows UTF-8? */
bool report_use_utf8(int fd);
/* Columns of text for a descriptor. */
unsigned report_width(const struct report_opts *opts, int fd);
/* Only the exports that the options ask for; likewise. */
int report_export(const struct heap *heap, const struct report_opts *opts);
/* The parts, for the console and for tests.  Appended to *out. */
struct strbuf;
void report_text(const struct heap *heap, const struct report_opts *opts, bool to_file, bool color,
		 unsigned width, struct strbuf *out);
struct report_page;
void report_text_page(const struct heap *heap, const struct report_opts *opts,
		      const struct report_page *page, struct strbuf *out);
void report_json(const struct heap *heap, const struct report_opts *opts, struct strbuf *out);
/* Valgrind's XML, one document for each process.  Stops when `write` returns an
 * error, and returns that. */
int report_xml(const struct heap *heap, const struct report_opts *opts,
	       int (*write)(void *arg, size_t nth, pid_t pid, const struct strbuf *sb), void *arg);

/* -- the exit status ---------------------------------------------------------- */

/* Which exit status the options ask for instead of the program's, because of
 * what the heap knows; 0: none. */
int report_exit_status(const struct heap *heap, const struct report_opts *opts);
/* The figures of a process that --fail-if knows: the number of a name that is n
 * bytes long, or −1; the i-th name, NULL behind the last; does it need a leak
 * scan? */
int report_figure_find(const char *name, size_t n);
const char *report_figure_name(size_t i);
bool report_figure_needs_scan(unsigned figure);
bool report_figure_needs_diff(unsigned figure);

/* -- one caller at a time ---------------------------------------------------- */

/* What identical callers have in common, in other runs of the same program too. */
uint64_t report_caller_hash(const struct heap *heap, uint32_t stack);
/* A paragraph about one request, for where messages go: a heading of `label` in
 * red, `amount` and a number, then the call and its backtrace.  Appended to *out. */
struct report_site {
	const char *label, *amount;
	size_t number;
	uint32_t stack;
	uint64_t size;
	struct product product;
};
void report_site(const struct heap *heap, const struct report_opts *opts,
		 const struct report_site *site, struct strbuf *out);
/* "SEGV"; NULL: it has no name. */
const char *report_signal_name(int sig);

/* -- sort keys ------------------------------------------------------------- */

/* By name or unambiguous prefix.  NULL with errno ENOENT (no such key) or
 * ENOTUNIQ (the prefix of several). */
const struct report_sort *report_sort_lookup(const char *name);
/* The i-th key's name, and what it sorts by; NULL after the last. */
const char *report_sort_name(size_t i);
const char *report_sort_help(size_t i);

/* -- pieces of the text, for the console ------------------------------------- */

struct report_page {
	bool to_file;          /* highest first, all of it */
	bool color;
	unsigned width;        /* columns; 0: no limit */
	bool utf8;             /* a terminal that shows it */
};

enum report_piece {
	REPORT_LEAKS,          /* paragraphs: what the last scan found … */
	REPORT_TOP,            /* … stacks that hold blocks … */
	REPORT_GROWN,          /* … and what grew between opts->from and to */
	REPORT_ERRORS,         /* a paragraph for each */
	REPORT_SUMMARY,        /* the figures of each process */
	REPORT_PROCS,          /* a table of processes */
};

/* Appended to *out, of the processes that opts->pid means; where there is nothing
 * to tell, nothing. */
void report_piece(const struct heap *heap, const struct report_opts *opts,
		  const struct report_page *page, enum report_piece piece, struct strbuf *out);

/* What has the number n in such a list of REPORT_LEAKS or REPORT_TOP, of one
 * process (opts->pid, or the first one). */
struct report_numbered {
	pid_t pid;
	uint32_t stack;        /* one of those that the paragraph stands for; 0: no
				  backtrace */
	taddr_t largest;       /* REPORT_LEAKS: of the blocks.  0: unknown */
};
bool report_numbered(const struct heap *heap, const struct report_opts *opts, enum report_piece piece,
		     size_t n, struct report_numbered *out);
/* All that is known of the caller that has this stack in process opts->pid.  False:
 * nothing. */
bool report_stack(const struct heap *heap, const struct report_opts *opts,
		  const struct report_page *page, uint32_t stack, struct strbuf *out);
/* What the last scan of process opts->pid found out about what points to the block
 * at `addr`.  False: nothing. */
bool report_why(const struct heap *heap, const struct report_opts *opts,
		const struct report_page *page, taddr_t addr, struct strbuf *out);

/* One block, from wherever it is known. */
struct report_block {
	pid_t pid;
	taddr_t addr;
	uint64_t size;
	uint32_t stack;        /* 0: no backtrace */
	uint32_t mark;         /* the last one when it was allocated; 0: none */
	uint64_t born_ns;      /* 0: unknown */
	uint64_t now_ns;
	int kind;              /* enum leak_kind; −1: unknown */
};
/* A line for each: address, size, operation, file and line, function, variable, age;
 * the largest first, or last (on a terminal).  opts->max_stacks limits them. */
void report_block_list(const struct heap *heap, const struct report_opts *opts,
		       const struct report_page *page, const struct report_block *blocks, size_t n,
		       struct strbuf *out);
/* The same for what opts->blocks knows of process opts->pid (0: of all, one after the
 * other), and how much that is. */
void report_open_blocks(const struct heap *heap, const struct report_opts *opts,
			const struct report_page *page, struct strbuf *out);
/* A paragraph about one, with its bytes from +offset on (data may be NULL). */
void report_block(const struct heap *heap, const struct report_opts *opts,
		  const struct report_page *page, const struct report_block *block,
		  const uint8_t *data, size_t ndata, uint64_t offset, struct strbuf *out);

/* -- --calls, --trace ------------------------------------------------------ */

/* A sink that prints every EV_CALL, as one line (or as opts->trace says) in one write
 * to fd, and hands all other events, and these, on to `next`.  It asks `heap` (which `next`
 * feeds) for modules and probes.  Its free closes nothing and leaves `next`
 * alone.  When writing fails it says so and prints no more; `*error` (may be
 * NULL) becomes the -errno. */
struct event_sink *calls_sink_new(struct event_sink *next, const struct heap *heap,
				  const struct report_opts *opts, int fd, int *error);
/* The output is opened at the first event, when the first pid is known: `open`
 * returns a descriptor, or -errno after it has said why. */
void calls_sink_open_later(struct event_sink *calls, int (*open)(void *arg, pid_t pid), void *arg);

/* -- heap errors ------------------------------------------------------------ */

/* A sink that hands all events on to `next` and prints a paragraph, in one write
 * to the standard error, for every heap error that is new to `heap` (which
 * `next` feeds).  Its free leaves `next` alone. */
struct event_sink *errors_sink_new(struct event_sink *next, const struct heap *heap,
				   const struct report_opts *opts);

/* The file of a module, the build that was traced, where the options say to look: a
 * reference, or NULL. */
struct elf_file *report_open_module(const struct report_opts *opts, const struct heap_module *m);

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The target side as a whole: launch or attach, observe, tell a sink. */
#ifndef MTRACE_TRACE_TRACE_H
#define MTRACE_TRACE_TRACE_H

#include <regex.h>

#include "base/types.h"
#include "base/vec.h"
#include "model/event.h"

#define TRACE_DEFAULT_DEPTH 12
#define TRACE_MAX_DEPTH 1024
#define TRACE_FREED_VOLUME 20000000 /* memcheck's default */

/* A function the user wants observed: SYMBOL or OBJECT+OFFSET, and which
 * argument is what, counted from 1; 0: none. */
struct user_probe {
	enum alloc_op op;      /* OP_ALLOC, OP_REALLOC, OP_RELEASE */
	char *symbol;          /* NULL when object is set */
	char *object;          /* last part of the file's name, or its path */
	uint64_t offset;       /* in the file's virtual addresses */
	uint8_t ptr, size, count, align, out;
	char *text;            /* as the user wrote it */
	char *name;            /* object and offset, for reports */
};

/* Parses "pool_get:size=2", "libfoo.so+0x1234:size=1,count=2" …  `op` says
 * which of --alloc, --free, --realloc it was.  0, or -EINVAL after a message. */
int user_probe_parse(const char *text, enum alloc_op op, struct user_probe *out);
void user_probe_release(struct user_probe *p);

/* The leak scan. */
struct scan_opts {
	bool launched;         /* scan launched programs when they end … */
	bool attached;         /* … and others when we leave them */
	bool references;       /* not: what can be reached, but: whose address is
				  anywhere */
	bool why;              /* tell the way to reachable blocks too */
	taddr_t why_addr;      /* tell the way to the block there (EV_WHY); 0: none */
	bool each_block;       /* EV_LEAK_BLOCK */
	bool mappings;         /* the program's own mappings are blocks, no roots */
	bool data;             /* tell how blocks begin */
	uint64_t every_ns;     /* also while they run; 0: no */
	int on_signal;         /* … and when we get this signal; 0: none */
};

/* The census of blocks older than an attach (trace/census.h). */
enum census_opt {
	CENSUS_AUTO, /* when a scan was asked for, which stops the program anyway */
	CENSUS_YES,
	CENSUS_NO,
};

#define FAIL_RULES_MAX 8
#define REDZONE_MAX 65536

/* Requests that are made to fail. */
struct fail_rule {
	uint64_t first, step;  /* of those that match, counted from 1; first 0:
				  all; step 0: one */
	uint64_t min_size;
	char *caller;          /* matches a frame's function or object; NULL: any */
	regex_t regex;         /* of it */
};

/* Parses "malloc:fail:when=3+2:caller=read_.*".  0, or -EINVAL after a message. */
int fail_rule_parse(const char *text, struct fail_rule *out);
void fail_rule_release(struct fail_rule *r);

/* What blocks are filled with. */
struct fill_opt {
	bool on;
	uint8_t byte;
};

/* What is done to the program, other than watching it. */
struct change_opts {
	struct fill_opt malloc_fill, free_fill;
	uint32_t redzone;      /* bytes behind each block, REDZONE_MAX at most; 0: none */
	VEC(struct fail_rule) fail;
	/* Told of each request that a rule is about, NULL or with `arg`: how
	 * many the first rule has seen, its stack and size. */
	void (*on_request)(void *arg, uint64_t n, uint32_t stack, uint64_t size,
			   const struct product *product, bool failed);
	void *arg;
};

struct trace_opts {
	char **argv;           /* command to launch; NULL: none */
	VEC(pid_t) pids;       /* to attach to */
	unsigned depth;        /* frames of a backtrace, 1…TRACE_MAX_DEPTH */
	bool follow_fork;      /* -f */
	bool follow_exec;      /* default true */
	bool no_cpp;           /* -n */
	bool images;           /* emit EV_IMAGE */
	bool stack_rest;       /* emit EV_STACK_REST, not only while rows are to come */
	bool rows;             /* clients are asked for rows: emit EV_ROWS_WANTED */
	bool calls;            /* --calls: emit EV_CALL */
	bool heaps;            /* --heapmap: emit EV_HEAP at the end */
	bool detach_on_exit;   /* --detach-on-exit */
	const char *hold;      /* the launched program stands at its entry until
				  REQUEST_START; what is said then (""); NULL: no */
	enum census_opt census;
	bool sanity;           /* -S: a stack of every release */
	bool no_mismatched;    /* --show-mismatched-frees=no */
	bool stop_on_error;    /* --stop-on-error */
	uint64_t max_blocks;   /* that are kept track of in a process; 0: all */
	uint64_t freed_volume; /* --freelist-vol: bytes that blocks had which are
				  remembered as released */
	const char *user;      /* -u; NULL: ours */
	struct strings omit;   /* -O: objects, by path or last part */
	VEC(struct user_probe) probes;
	struct scan_opts scan;
	uint64_t mark_every_ns; /* set a mark every so often; 0: no */
	int mark_signal;        /* … and when we get this signal; 0: none */
	struct change_opts change;
	/* Makes a report of the program as it runs (SIGUSR1); called in a
	 * forked copy of the tracer, whose exit the caller takes care of. */
	void (*report_now)(void *arg);
	void *arg;
};

struct trace_result {
	int exit_code;         /* of the launched program; 0 when attached;
				  EXIT_… when the error was ours */
	int exit_signal;       /* the launched program died of it; 0: no */
	bool never_began;      /* it was held at its entry to the end */
};

/* Traces until everything that is followed has ended or was let go.  0, or -1
 * after a message with result->exit_code set. */
int trace_run(const struct trace_opts *opts, struct event_sink *sink, struct trace_result *result);

/* Set by SIGINT and friends while a report is made: the report is to be
 * finished without looking anything up. */
extern volatile int trace_interrupted;
/* From now on SIGINT does so, for a report without tracing. */
void trace_interrupts_reports(void);
/* In a child of ours, before it executes something that has nothing to do with
 * tracing: what we changed for ourselves is undone.  Makes system calls only. */
void trace_leave_child(void);
/* A signal wants tracing to end, and the tracer has not come round to it. */
bool trace_asked_to_end(void);

#endif

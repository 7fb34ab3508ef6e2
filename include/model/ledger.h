/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The books: what counts of a session, per process and per stack.  Fed with
 * events, of which unknown ids are tolerated; it knows no names and no frames,
 * which are the host's (heap/heap.h), so that the target side can keep books
 * too, for clients that come late (model/state.h).
 *
 * Counting is memcheck's: a realloc of a block is one allocation of its full
 * new size and one release; a refused request is no allocation; a release of
 * what is not a block is no release. */
#ifndef MTRACE_MODEL_LEDGER_H
#define MTRACE_MODEL_LEDGER_H

#include "base/hash.h"
#include "base/vec.h"
#include "model/event.h"

struct heap_note {
	pid_t pid;
	bool bad;
	char *text;
};

/* A heap error: the same kind at the same place with a block from the same
 * place.  Addresses and sizes are those of the first time. */
#define HEAP_ERROR_DATA 32

struct heap_error {
	enum error_kind kind;
	enum error_place place;
	uint64_t count;
	taddr_t addr;          /* 0: a request */
	uint64_t size, given, offset; /* as in EV_ERROR */
	uint32_t at, stack, freed; /* stacks: the call, the allocation, the first
				  release; 0: none */
	uint32_t module;       /* PLACE_MODULE */
	char *path;            /* PLACE_FILE, else NULL */
	uint8_t data[HEAP_ERROR_DATA], ndata; /* ERROR_OVERRUN: what was found */
	uint64_t first_ns;
};

/* How often a stack was involved in something that points to a way into the
 * allocator that is not observed. */
struct heap_suspect {
	uint32_t stack;
	uint32_t allocator;    /* module of the function observed; 0: unknown */
	uint64_t count;
};

struct heap_suspects {
	VEC(struct heap_suspect) v; /* in order */
	struct u64map by_stack;
};

/* -- per process ---------------------------------------------------------- */

/* What ran out. */
struct heap_oom {
	enum oom_cause cause;
	uint64_t limit, used;  /* as in EV_OOM */
};

/* The last request for heap memory that was refused, and who held most then. */
#define HEAP_OWNERS 5

struct heap_owner {
	uint32_t stack;
	uint64_t blocks, bytes;
};

struct heap_refused {
	bool any;
	uint32_t stack;        /* 0: no backtrace */
	uint64_t size, ns;
	struct product product;
	uint64_t open_blocks, open_bytes;
	struct heap_oom oom;
	struct heap_owner owner[HEAP_OWNERS]; /* most first */
	uint32_t owners;
	uint64_t patience;     /* of looking for owners anew (ledger-refused.c) */
};

/* Between which the factors were of requests that are products (calloc). */
struct heap_product {
	bool any;
	uint64_t min_count, max_count;
	uint64_t min_each, max_each;
};

/* What one stack has done in one process.  Of a forked child only what came
 * after the fork: open_… are then differences, below zero when it released
 * blocks that it had inherited. */
struct heap_count {
	uint32_t stack;        /* 0: no backtrace */
	uint32_t failed;       /* refused requests … */
	uint64_t failed_min, failed_max; /* … and their sizes */
	int64_t open_blocks, open_bytes; /* of OP_MAP stacks: regions */
	uint64_t total_blocks, total_bytes;
	uint64_t min_size, max_size;     /* of granted requests; min > max: none */
	struct heap_product product, failed_product; /* of granted, of refused ones */
	uint64_t last_ns;      /* of the last granted request */
	bool older;            /* blocks of the census; total_… is what it found */
};

struct heap_totals {
	uint64_t allocs, frees;
	uint64_t bytes_allocated;
	uint64_t open_blocks, open_bytes;
	uint64_t peak_bytes;   /* high-water mark; first time it was reached */
	uint64_t peak_blocks;  /* open at that time */
	uint64_t peak_ns;
	uint64_t failed;
	uint64_t unknown_releases;  /* of no known block */
	uint64_t shutdown_releases; /* the same, by the C library at a thread's end */
	uint64_t unseen_releases;   /* addresses handed out while they were open */
	uint64_t null_releases;     /* of NULL, in heap logs */
};

/* What a target has said last of its heap (EV_TARGET). */
struct heap_target {
	uint8_t said;          /* bits of enum target_said: which of these are known */
	uint8_t header;        /* bytes before each block */
	taddr_t start;
	uint64_t size;
	uint64_t free, used, threshold;
};

/* The program's own mmap regions and break, apart from heap blocks.  Sizes
 * are in whole pages. */
struct heap_mappings {
	uint64_t maps, unmaps, remaps;
	uint64_t bytes_mapped;
	uint64_t open_regions, open_bytes;
	uint64_t peak_bytes;
	uint64_t failed;
	uint64_t brk_calls, brk_grown; /* bytes, all growth added up */
	int64_t brk_current;           /* bytes, growth less shrinkage */
};

/* -- leak scans -------------------------------------------------------------- */

#define HEAP_LEAK_DATA 32

/* A step of the way from a root to the largest block of a leak. */
struct heap_link {
	uint32_t step, steps;      /* of a long way some are left out */
	enum leak_from from;
	taddr_t at;                /* of the pointer; in a block: its offset */
	uint32_t module;           /* 0: none */
	pid_t tid;
	taddr_t block;
	uint64_t size, offset;     /* where it points to */
	uint32_t block_stack;
};

/* From the root to the block; as VEC() has it. */
struct heap_way {
	struct heap_link *v;
	size_t n, cap;
};

/* What was found at an address that was asked about. */
struct heap_asked {
	taddr_t addr;
	bool found;                /* in a block */
	enum leak_kind kind;
	taddr_t block, holder;     /* as in EV_WHY */
	uint64_t size;
	uint32_t stack;
	struct heap_way why;
};

/* Blocks of one stack and class. */
struct heap_leak {
	uint32_t stack;
	uint32_t under;            /* LEAK_INDIRECT: the stack of what holds them */
	enum leak_kind kind;
	uint64_t blocks, bytes;
	taddr_t largest;
	uint64_t largest_size;
	uint8_t data[HEAP_LEAK_DATA], ndata; /* how the largest begins */
	struct heap_way why;
};

struct heap_leak_block {
	taddr_t addr;
	uint64_t size;
	uint32_t stack;
	enum leak_kind kind;
};

/* What the last scan of a process found. */
struct heap_scan {
	bool done;
	bool references, final;
	unsigned nth;              /* scan of this image, from 1 */
	uint64_t blocks, bytes, unread, pause_ns;
	uint64_t at_ns;
	uint64_t kind_blocks[LEAK_KINDS], kind_bytes[LEAK_KINDS];
	bool mappings;             /* mappings were asked for, and of these … */
	uint64_t map_blocks[LEAK_KINDS], map_bytes[LEAK_KINDS]; /* … the classes */
	VEC(struct heap_leak) leaks;
	VEC(struct heap_leak_block) each; /* when asked for */
	VEC(struct heap_asked) asked; /* come after the leaks */
};

/* -- marks -------------------------------------------------------------------- */

/* What is open that one stack allocated after one mark and before the next.  Of
 * a forked child as in heap_count. */
struct heap_aged {
	uint32_t stack, mark;
	int64_t blocks, bytes;
};

struct regions;

/* One image of a process: from its launch, fork, exec or our attach to its
 * end or next exec. */
struct heap_proc {
	pid_t pid, ppid;
	enum proc_how how;
	enum proc_log log;     /* whether it was traced, and what its times are */
	struct heap_target target;
	uint8_t word;
	char *exe, *name, *abi;
	uint64_t start_ns, end_ns; /* end_ns: of the last event while it runs */
	bool ended;
	enum proc_end_how end_how; /* END_RUNNING unless ended */
	int status;
	uint32_t tasks, modules;   /* as announced; modules now mapped */
	struct heap_totals total;
	struct heap_mappings maps;
	/* What a forked child began with; part of the totals above. */
	struct {
		uint64_t blocks, bytes;
		uint64_t regions, region_bytes;
	} inherited;
	struct heap_refused refused;
	struct heap_oom killed;    /* OOM_CGROUP or OOM_SYSTEM; else OOM_UNKNOWN */
	struct heap_scan scan;
	/* Blocks older than the attach, of the census.  They are among those in
	 * use; neither they nor their releases are in allocs and frees. */
	struct {
		bool known;        /* a census was taken */
		uint64_t blocks, bytes; /* found */
		uint64_t released, released_bytes; /* of them, since */
	} before_attach;
	VEC(struct heap_count) counts; /* in order of first use; empty once the
					  image was replaced */
	VEC(struct heap_aged) aged; /* of all marks, in no order; what is older
				  than the first one is in none */
	uint64_t nerrors;          /* heap errors, all of them */
	uint64_t unknown_errors;   /* those that are unknown releases */
	VEC(struct heap_error) errors; /* the distinct ones, in order, fishy sizes too */
	struct heap_suspects unseen;  /* who allocated what was handed out twice */
	struct heap_suspects unknown; /* who released what was not known, but for
					 heap errors */
	/* the rest is the ledger's own */
	size_t nth;                /* image of the session, in order of their beginnings */
	struct u64map by_mark, by_error;
	struct u64map by_stack;
	struct regions *regions;
	struct heap_scan incoming; /* scan that is being told */
	struct { pid_t tid; taddr_t addr; } told; /* the last bad release */
};

struct ledger;

/* A stack that stands for blocks older than the attach. */
struct ledger_older {
	uint32_t stack;
	uint32_t module;       /* all begin with a word that points into it … */
	taddr_t word;          /* … this one; 0: they differ */
};

struct ledger *ledger_new(void);
void ledger_free(struct ledger *);
/* EMIT_GO, as of a sink. */
int ledger_take(struct ledger *, const struct event *);
/* Tells what brings an empty ledger that knows the same probes and stacks to
 * where this one is.  0, or the sink's -errno. */
int ledger_tell(const struct ledger *, struct event_sink *);

/* Images in the order in which they began; the launched process's first.
 * Earlier images of a process (end_how END_EXECED) are among them. */
size_t ledger_nprocs(const struct ledger *);
const struct heap_proc *ledger_proc_at(const struct ledger *, size_t i);
/* The present (or last) image of a pid; NULL: none. */
const struct heap_proc *ledger_proc_find(const struct ledger *, pid_t pid);
size_t ledger_nnotes(const struct ledger *);
const struct heap_note *ledger_note_at(const struct ledger *, size_t i);
/* How many marks were set, and when number `nr` was, from 1. */
uint32_t ledger_nmarks(const struct ledger *);
uint64_t ledger_mark_ns(const struct ledger *, uint32_t nr);
/* Of the blocks a process inherited by fork, those still open (what its
 * counts do not cover). */
void ledger_inherited_open(const struct ledger *, const struct heap_proc *p, uint64_t *blocks,
			   uint64_t *bytes);
/* Is it a stack of mappings, not of blocks? */
bool ledger_stack_maps(const struct ledger *, uint32_t stack);
/* NULL: its blocks are not older than the attach, or it is not known. */
const struct ledger_older *ledger_older(const struct ledger *, uint32_t stack);
/* Bytes of memory in use. */
size_t ledger_memory(const struct ledger *);

/* Widens *p so that it comprises a request, or the others that *by comprises. */
void heap_product_widen(struct heap_product *p, const struct product *one);
void heap_product_add(struct heap_product *p, const struct heap_product *by);

#endif

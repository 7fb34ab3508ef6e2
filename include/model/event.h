/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The vocabulary between the target side and the host side.  Every event is
 * complete: a release names the size and the stack of the block it releases,
 * because the target keeps the table of open blocks (model/openset.h), so the
 * host needs none of its own.  Strings and arrays belong to the emitter and
 * live until emit() returns. */
#ifndef MTRACE_MODEL_EVENT_H
#define MTRACE_MODEL_EVENT_H

#include "base/types.h"

/* What an observed function does. */
enum alloc_op {
	OP_ALLOC,
	OP_REALLOC,
	OP_RELEASE,
	OP_MAP,
	OP_UNMAP,
	OP_REMAP,
	OP_BRK,
};

/* Arguments of a call that are looked at. */
enum { CALL_ARGS = 8 };

/* Bytes: of an image at most, and of it in one event. */
enum { IMAGE_MAX = 1 << 24, IMAGE_PART = 1 << 16 };

/* Bytes and registers of an EV_STACK_REST at most. */
enum { REST_BYTES = 4096, REST_REGS = 64 };

/* Figures in one EV_STATE_… at most. */
enum { STATE_FIGURES = 64 };

/* Runs of pages in one EV_HEAP at most. */
enum { HEAP_RUNS = 64 };

/* Who may release what (mismatches; only these differ). */
enum family { FAMILY_C, FAMILY_NEW, FAMILY_NEW_ARRAY, FAMILY_MAP, FAMILY_CUSTOM };

enum event_type {
	EV_PROC,          /* a process, or a new image of one (exec) */
	EV_PROC_END,      /* it exited, was killed, or was let go */
	EV_TASK,          /* a thread was added */
	EV_MODULE,        /* an ELF object was mapped */
	EV_MODULE_GONE,   /* … and unmapped */
	EV_PROBE,         /* id → name, once per session */
	EV_STACK,         /* id → operation and frames, before its first use */
	EV_ALLOC,
	EV_RELEASE,
	EV_RELEASE_UNDO,  /* the release of this thread just told did not happen */
	EV_REALLOC_BEGIN, /* the old block is in the allocator's hands */
	EV_REALLOC,       /* … and this came of it */
	EV_FAILED,        /* a request that the allocator refused */
	EV_MAP,
	EV_UNMAP,
	EV_REMAP,
	EV_BRK,
	EV_CALL,          /* one call with arguments and result (--calls) */
	EV_NOTE,          /* something for the end of the report */
	EV_SCAN_BEGIN,    /* a leak scan's results follow, instead of earlier ones */
	EV_LEAK,          /* blocks of one stack and class */
	EV_LEAK_BLOCK,    /* one of them */
	EV_LEAK_WHY,      /* a step of the way to the largest of them */
	EV_SCAN,          /* … and that was all */
	EV_CENSUS,        /* blocks that are older than the attach */
	EV_MARK,          /* a moment gets a number, from 1; of no process */
	EV_ERROR,         /* the program mishandles a block: told at the call */
	EV_WHY,           /* of a scan: what it found at an address that was asked
			     about; EV_LEAK_WHY follow */
	EV_IMAGE,         /* a part of a module that no file is of, as it lies in
			     the tracee's memory: for who looks names up elsewhere */
	EV_BLOCK,         /* an open block, because it was asked (REQUEST_BLOCKS):
			     u.alloc tells address, size, stack, mark */
	/* What a ledger has in its books, for one that is empty (model/state.h) */
	EV_STATE_OLDER,   /* a stack that stands for blocks older than the attach */
	EV_STATE_PROC,    /* of the process told last: its figures; no regions are
			     mapped but those that follow */
	EV_STATE_COUNT,   /* what one of its stacks has done */
	EV_STATE_REGION,  /* one of its mappings */
	EV_STATE_AGED,    /* what is open of one stack and mark */
	EV_STATE_ERROR,   /* an error, which was seen u.error.count times */
	EV_STATE_SUSPECT, /* a stack that points to a way that is not observed */
	EV_RESET,         /* what is open is forgotten, counts begin anew
			     (REQUEST_RESET): later releases of it are unknown */
	EV_STACK_REST,    /* where the EV_STACK that follows broke off, in code of
			     which nothing is known there: registers and a piece of
			     the stack, for a reader or a client that has the files */
	EV_ROWS_WANTED,   /* of a module neither call-frame information nor another
			     table is here: a client that has them gives its rows
			     (REQUEST_ROWS).  Of no process; told by who serves */
	EV_ROWS_GIVEN,    /* … and so one did */
	EV_HEAP,          /* a stretch of memory that the heap has, because it was asked
			     (REQUEST_HEAPS), or at the end (--heapmap) */
	EV_PLACE,         /* what a code address stands for, told by who knows it in
			     words: before its first use */
	EV_TARGET,          /* of a target whose heap log is read: what it says of its
			     heap */
	EV_OOM,           /* why: of the refused request just told, or of the end that
			     is told next */
	EV_STATE_REFUSED, /* the last request that was refused */
	EV_TYPES,         /* how many there are */
};

enum proc_how { PROC_LAUNCHED, PROC_ATTACHED, PROC_FORKED, PROC_EXECED };

/* A process is traced, or known from the heap log of another system (src/import). */
enum proc_log {
	PROC_TRACED,
	PROC_LOG,      /* times count the log's records, a microsecond each */
	PROC_LOG_LIVE, /* times are when they came in */
};

/* `said` of EV_TARGET: which of its figures are there. */
enum target_said { TARGET_BOUNDS = 1, TARGET_FREE = 2, TARGET_USED = 4, TARGET_THRESHOLD = 8, TARGET_SAID = 15 };

enum proc_end_how {
	END_EXITED,   /* status: the exit code */
	END_SIGNALED, /* status: the signal */
	END_DETACHED, /* it runs on, untraced */
	END_EXECED,   /* this image was replaced; EV_PROC of the next follows */
	END_RUNNING,  /* a report in the middle */
};

/* How a stack ended. */
enum stack_end {
	STACK_COMPLETE, /* at the outermost frame */
	STACK_CUT,      /* by the depth asked for */
	STACK_BROKEN,   /* no way on from the last frame */
};

/* How a frame of a stack was found.  The numbers are part of the wire format. */
enum frame_origin {
	FROM_REGS,     /* the thread's registers: the innermost one */
	FROM_ROW,      /* call-frame information, .eh_frame or .debug_frame */
	FROM_CFI,      /* … which had to be evaluated */
	FROM_SIGNAL,   /* across a signal frame */
	FROM_FP,       /* frame pointer */
	FROM_LINK,     /* return address at a function's entry */
	FROM_SCAN,     /* found on the stack */
	FROM_EXIDX,    /* ARM's .ARM.exidx */
	FROM_PROLOGUE, /* the code of the function that it called */
	FRAME_ORIGINS,
};

/* `known` of EV_RELEASE. */
enum release_known {
	RELEASE_KNOWN,
	RELEASE_UNKNOWN,  /* no such block: older than the attach, or an error */
	RELEASE_SHUTDOWN, /* no such block, and the C library itself at a
			     thread's end is the caller: no error */
	RELEASE_UNSEEN,   /* a known block whose address was handed out again:
			     its release was not seen */
	RELEASE_NULL,     /* of no block at all; told of heap logs alone */
};

enum error_kind {
	ERROR_MISMATCHED_FREE, /* new and free, new[] and delete, … */
	ERROR_DOUBLE_FREE,
	ERROR_INVALID_FREE,    /* of what is not the beginning of a block */
	ERROR_SIZE_MISMATCH,   /* a sized release with another size */
	ERROR_MISALIGNED,      /* a request for an alignment that is none */
	ERROR_OVERRUN,         /* a write behind the block: seen when the red zone
				  there is looked at, by `at`, or later (0) */
	ERROR_FISHY_SIZE,      /* a size below zero: told on -v, not counted */
};

/* What lies at an address that is no block. */
enum error_place {
	PLACE_UNKNOWN,  /* not looked */
	PLACE_BLOCK,    /* the inside of an open block … */
	PLACE_FREED,    /* … or of a released one */
	PLACE_STACK,
	PLACE_MODULE,   /* code or variables of an ELF object */
	PLACE_FILE,     /* another mapped file */
	PLACE_HEAP,     /* the heap segment */
	PLACE_MAPPED,   /* other memory */
	PLACE_NOWHERE,  /* not mapped */
};

/* What a leak scan found of a block; memcheck's classes (model/reach.h). */
enum leak_kind {
	LEAK_DEFINITE,  /* no pointer to it was found */
	LEAK_INDIRECT,  /* only blocks that are lost point to it */
	LEAK_POSSIBLE,  /* only pointers into its middle were found */
	LEAK_REACHABLE,
	LEAK_KINDS,
};

/* What memory ran out of. */
enum oom_cause {
	OOM_UNKNOWN,       /* nothing was found */
	OOM_ADDRESS_SPACE, /* RLIMIT_AS … */
	OOM_DATA,          /* … and RLIMIT_DATA refuse a request: setrlimit(2) */
	OOM_CGROUP,        /* the kernel killed it: its control group counts that … */
	OOM_SYSTEM,        /* … or is not known, and the system has killed somebody */
	OOM_CAUSES,
};

/* Where a pointer was found. */
enum leak_from { FROM_MEMORY, FROM_STACK, FROM_REGISTER, FROM_BLOCK };

/* What a heap's memory is.  A newer writer may know others. */
enum heap_kind {
	HEAP_NONE,     /* there is no region */
	HEAP_BREAK,    /* the heap segment */
	HEAP_ARENA,    /* of an arena that has its own */
	HEAP_MAPPING,
	HEAP_FIXED,    /* all that there is, of a small target: it cannot grow */
};

/* A request for `count` elements of `each` bytes, as calloc takes it. */
struct product {
	uint8_t is_one;   /* 1; 0: the function takes a size alone */
	uint64_t count, each;
};

struct event {
	enum event_type type;
	pid_t pid, tid;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	union {
		struct {
			enum proc_how how;
			pid_t ppid;        /* 0 unknown; of a fork: whose copy it is */
			const char *exe;   /* absolute path */
			const char *name;  /* as the user named it, or exe's last part */
			uint8_t word;      /* bytes of a pointer */
			const char *abi;   /* PROC_LOG…: the log's format */
			uint8_t log;       /* enum proc_log */
		} proc;
		struct {
			enum proc_end_how how;
			int status;
		} end;
		struct {
			uint32_t id;       /* unique in the session, never reused */
			taddr_t start, end, bias;
			const char *path;  /* as the tracee sees it; "[vdso]" */
			const uint8_t *build_id;
			uint8_t build_id_len;
			uint64_t dev, ino; /* 0: not a file */
		} module;
		struct {
			uint32_t module;
			taddr_t vaddr;     /* in its file */
			const char *file, *function; /* NULL: unknown */
			uint32_t line;     /* 0: unknown */
			const char *variable; /* that gets what is allocated there; NULL */
		} place;
		struct {
			uint8_t said;      /* bits of enum target_said */
			uint8_t header;    /* bytes before each block */
			taddr_t start;     /* TARGET_BOUNDS: of the heap … */
			uint64_t size;     /* … and its bytes */
			uint64_t free, used, threshold; /* bytes */
		} target;
		struct {
			uint32_t module;
			taddr_t bias;
			uint64_t size, offset; /* of the image; of this part */
			const uint8_t *data;
			uint32_t ndata;    /* IMAGE_PART at most */
		} image;
		struct {
			uint16_t id;
			enum alloc_op op;
			enum family family;
			const char *name;  /* demangled: "operator new[](unsigned long)" */
			const char *symbol; /* as the linker sees it; may be NULL */
			uint8_t size_first; /* of a product's factors */
		} probe;
		struct {
			uint32_t id;       /* unique in the session, from 1 */
			uint16_t probe;
			uint8_t end;       /* enum stack_end */
			uint32_t n;
			const taddr_t *pc;     /* innermost first; return addresses,
						  but for those `exact` says */
			const uint32_t *module; /* id for each frame, 0: none */
			const uint8_t *exact;  /* 1: pc is no return address (after
						  a signal frame); may be NULL */
			const uint8_t *origin; /* enum frame_origin of each frame, or
						  that of a newer writer; NULL: not
						  told */
		} stack;
		struct {
			uint32_t stack;    /* the EV_STACK's id */
			uint16_t machine;  /* of the ELF header, as are … */
			uint8_t class, data; /* … these: which ABI it is */
			uint8_t exact;     /* as of its last frame */
			taddr_t code;      /* the pc there, a code pointer (arch/abi.h) */
			taddr_t sp;        /* the address of bytes[0] */
			uint32_t depth;    /* so many frames more at most */
			uint64_t known;    /* bit n: of DWARF register n reg[n] is the value */
			const uint64_t *reg; /* REST_REGS of them */
			const uint8_t *bytes;
			uint32_t nbytes;
		} rest;
		struct {
			const uint8_t *build_id;
			uint8_t build_id_len; /* never 0 */
			const char *path;  /* as the tracee sees it */
			uint64_t size;     /* bytes of code; EV_ROWS_GIVEN: of the rows */
		} rows; /* EV_ROWS_WANTED, EV_ROWS_GIVEN */
		struct {
			taddr_t addr;
			uint64_t size;
			uint32_t stack;
			uint32_t mark;     /* the last one that was set; 0: none */
			struct product product;
		} alloc; /* EV_ALLOC, EV_FAILED (addr 0) */
		struct {
			taddr_t addr;
			uint64_t size;     /* 0 unless known */
			uint32_t stack;    /* of the allocation; 0 unless known */
			uint16_t probe;    /* what released it */
			uint8_t known;     /* enum release_known */
			uint32_t at;       /* stack of the release, 0: not taken */
			uint32_t mark;     /* of the block, 0 unless known */
			uint32_t allocator; /* module of the function that was called;
					      RELEASE_UNSEEN: that gave the address
					      out again.  0: not told */
		} release; /* EV_RELEASE, EV_RELEASE_UNDO, EV_REALLOC_BEGIN */
		struct {
			taddr_t old_addr;
			uint64_t old_size;
			uint32_t old_stack; /* 0: the old block was unknown */
			taddr_t addr;      /* 0: failed (the old one is back), or
					      size 0 and released */
			uint64_t size;
			uint32_t stack;
			bool failed;
			uint32_t old_mark, mark; /* of the old block, the new one */
			struct product product;
		} realloc;
		struct {
			taddr_t addr;
			uint64_t size;
			taddr_t old_addr;  /* EV_REMAP */
			uint64_t old_size; /* EV_REMAP */
			uint32_t stack;
		} map; /* EV_MAP, EV_UNMAP, EV_REMAP; EV_BRK: addr is the new break,
			  old_addr the one before */
		struct {
			uint16_t probe;
			uint8_t nargs;
			uint8_t pointers;  /* bit i: arg[i] is one */
			bool has_result;
			uint64_t arg[CALL_ARGS], result;
			taddr_t caller;    /* return address */
			uint32_t module;   /* of the caller */
		} call;
		struct {
			uint32_t stack;    /* stands for them all; no frames */
			uint64_t blocks, bytes;
			uint64_t min_size, max_size;
			taddr_t word;      /* in a module: what the first word of
					      each of them is; 0: it differs */
			uint32_t module;   /* which, 0: none */
		} census;
		struct {
			bool bad;          /* shown with -q too */
			const char *text;  /* one line, without the prefix */
		} note;
		struct {
			uint32_t stack;    /* of the allocations */
			uint8_t kind;      /* enum leak_kind */
			uint32_t under;    /* LEAK_INDIRECT: the stack of the lost
					      blocks that hold these */
			uint64_t blocks, bytes;
			taddr_t largest;   /* of these blocks, the first one of the
					      greatest size … */
			uint64_t largest_size;
			const uint8_t *data; /* … and how it begins; may be NULL */
			uint8_t ndata;
		} leak; /* EV_LEAK; EV_LEAK_BLOCK: blocks is 1, `under` is 0 */
		struct {
			uint32_t stack;    /* EV_LEAK's stack … */
			uint8_t kind;      /* … and kind */
			uint32_t step, steps; /* the first one is from a root; of a
						 long way some are left out */
			uint8_t from;      /* enum leak_from */
			taddr_t at;        /* the pointer's address */
			uint32_t module;   /* FROM_MEMORY: in this one's data; 0 */
			pid_t tid;         /* FROM_REGISTER, FROM_STACK: whose */
			taddr_t block;     /* where it leads: this block … */
			uint64_t size;
			uint32_t block_stack;
			uint64_t offset;   /* … so far into it */
		} why; /* about the EV_LEAK, or EV_WHY, that was told last */
		struct {
			taddr_t addr;      /* as asked */
			uint8_t found;     /* it is in a block: the rest is known */
			uint8_t kind;      /* enum leak_kind */
			taddr_t block;
			uint64_t size;
			uint32_t stack;
			taddr_t holder;    /* LEAK_INDIRECT: the lost block that holds it,
					      else 0 */
		} asked; /* EV_WHY */
		struct {
			uint8_t cause;     /* enum oom_cause */
			uint64_t limit;    /* in bytes; 0: unknown, or none */
			uint64_t used;     /* of it then; OOM_CGROUP, OOM_SYSTEM: how many
					      processes were killed meanwhile */
		} oom;
		struct {
			uint8_t references; /* the question was: who holds an address? */
			uint8_t final;     /* the last one of this process */
			uint8_t mappings;  /* mappings counted as blocks */
			uint64_t blocks;   /* that were looked at */
			uint64_t bytes;    /* of memory that was read */
			uint64_t unread;   /* … and could not be, or must not */
			uint64_t pause_ns; /* how long all threads stood; 0: at the end */
		} scan; /* EV_SCAN */
		struct {
			uint32_t nr;       /* one more than the last */
		} mark;
		struct {
			uint8_t kind;      /* enum error_kind */
			uint8_t place;     /* enum error_place, of an invalid free */
			taddr_t addr;      /* what was released; 0: a request */
			uint64_t size;     /* of the block, or requested */
			uint64_t given;    /* the size or alignment that is wrong */
			uint64_t offset;   /* of addr into the block, or the file; of
					      the first byte of an overrun */
			uint32_t at;       /* stack of the faulty call */
			uint32_t stack;    /* of the allocation; 0: none, unknown */
			uint32_t freed;    /* of the first release; 0: not taken */
			uint32_t module;   /* PLACE_MODULE */
			const char *path;  /* PLACE_FILE; else NULL */
			const uint8_t *data; /* ERROR_OVERRUN: what is there, from
						the first byte that was changed */
			uint8_t ndata;
			uint64_t count;    /* EV_STATE_ERROR; else 0 */
		} error; /* EV_ERROR, EV_STATE_ERROR */
		struct {
			const uint64_t *v; /* in the order of doc/PROTOCOL.md; those that
					      are not there are 0 */
			uint32_t n;        /* STATE_FIGURES at most */
		} figures; /* EV_STATE_…, but for EV_STATE_ERROR */
		struct {
			uint32_t nr;       /* 0: what was told of this process's before is
					      over.  The same as in the event before: its
					      runs go on */
			uint8_t kind;      /* enum heap_kind */
			uint32_t arena;    /* HEAP_ARENA: which, from 1 */
			taddr_t start;
			uint64_t size;
			uint64_t lead;     /* the allocator's own, at its start */
			/* Of a block: bytes before it, what the size with them is a
			 * multiple of, and at least; 0: unknown */
			uint32_t header, align, min;
			uint32_t page;     /* bytes; 0: not known what is in memory */
			const uint64_t *runs; /* pages from the one of `start` on: so many
						 without content, with, without …  Those
						 behind have none */
			uint32_t nruns;    /* HEAP_RUNS at most */
		} heap;
	} u;
};

/* What an emitter may do next. */
enum {
	EMIT_GO = 0,
	EMIT_HOLD = 1,       /* EV_BLOCK: a reader is behind, the rest should wait a little */
	EMIT_SUPPRESSED = 2, /* EV_ERROR: the user knows of it, it is no reason to stop */
};

/* Takes events.  emit: one of these or -errno; it never blocks on
 * anything but itself.  flush: 0 or -errno. */
struct event_sink {
	int (*emit)(struct event_sink *, const struct event *);
	int (*flush)(struct event_sink *);
	void (*free)(struct event_sink *);
};

/* `flush` of one that keeps nothing back; `free` of one that its owner frees. */
int sink_keeps_nothing(struct event_sink *);
void sink_is_owned(struct event_sink *);

const char *event_type_name(enum event_type type);

#endif

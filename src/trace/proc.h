/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The session, the address spaces and the threads that we trace.
 *
 *   session ──┬─ proc (one address space) ──┬─ task (one thread)
 *             │    breakpoints, scratch      │    registers, pending calls
 *             │    modules, unwinder         └─ task …
 *             └─ proc …  open blocks
 */
#ifndef TRACE_PROC_H
#define TRACE_PROC_H

#include <signal.h>
#include <sys/resource.h>
#include <time.h>

#include "arch/abi.h"
#include "base/hash.h"
#include "base/vec.h"
#include "elf/modules.h"
#include "model/event.h"
#include "model/freed.h"
#include "model/openset.h"
#include "model/regions.h"
#include "trace/memory.h"
#include "trace/probes.h"
#include "trace/trace.h"
#include "trace/unwind.h"

struct session;
struct proc;
struct task;

/* -- breakpoints --------------------------------------------------------- */

/* Why a breakpoint is there; one address can have several reasons. */
enum {
	BP_PROBE = 1,    /* the entry of an observed function */
	BP_RETURN = 2,   /* where one returns to */
	BP_LINKMAP = 4,  /* the run-time linker says that the list changed */
	BP_START = 8,    /* AT_ENTRY of a static program */
	BP_SIGMASK = 16, /* a system call instruction that changes signal masks
			    or dispositions */
	BP_RESOLVED = 32, /* where the resolver of an indirect function returns to */
	BP_EXEC = 64,     /* a system call instruction that executes another program */
	BP_SYSCALLS = BP_SIGMASK | BP_EXEC,
};

struct breakpoint {
	taddr_t addr;
	uint8_t mode;       /* the code bit of pointers to it (abi.h) */
	uint8_t len;        /* bytes of the breakpoint instruction */
	uint8_t orig[4];
	uint8_t roles;
	bool planted;
	bool prepared;      /* `d` is valid, and its code is in the slot */
	bool transient;     /* only there while `pending` > 0 */
	struct probe_site *site; /* BP_PROBE */
	uint32_t pending;   /* calls that will return here */
	uint32_t hits, idle; /* as a return site: all, and without a call */
	taddr_t slot;       /* 0: none */
	taddr_t resume;     /* code pointer: where a hit goes on; 0: emulate it
			       or single-step */
	struct displaced d;
	bool no_emulation;  /* … cannot be emulated either */
	uint8_t insn[8], ninsn; /* of what is emulated: the bytes */
	bool abandoned;     /* there is no way past it: never planted again */
	int16_t syscall;    /* BP_SYSCALLS: the number of the call */
	struct breakpoint *chain; /* this body only jumps there (delete → free) */
	struct module *module;    /* NULL: not in one */
};

/* A stretch of tracee memory that holds slots. */
struct scratch {
	taddr_t addr;
	size_t size, used;
	bool injected;      /* mapped by us; else padding of a module */
	uint8_t *shadow;    /* what we wrote */
	struct breakpoint **owner; /* one for each slot */
	struct module *module;     /* padding: whose */
};

#define SLOT_SIZE DISPLACE_MAX

/* -- calls ---------------------------------------------------------------- */

/* A call that was entered and has not returned. */
struct call {
	const struct probe_site *site; /* NULL: a signal handler begins here */
	uint16_t probe;     /* as told: may be the wrapper around (operator new) */
	taddr_t sp;         /* at entry */
	taddr_t return_addr;
	taddr_t caller;     /* the same, but for wrappers: of their caller */
	struct breakpoint *ret;
	uint64_t arg[CALL_ARGS];
	uint64_t size;
	uint32_t stack;
	struct open_block old; /* OP_REALLOC: taken out of the table */
	bool had_old;
	bool own;           /* a mapping that an allocator makes for itself */
	uint8_t counted;    /* fail.c: by these rules */
	bool failing;       /* … and made to fail */
	uint64_t asked;     /* the size argument as it was, when */
	uint64_t zone;      /* … it was enlarged by so many bytes, */
	uint64_t old_zone;  /* … and the old block of a realloc: redzone.c */
};

/* The last entry of a task that was resumed in a slot: when a signal comes
 * before the instruction ran, this is what has to be taken back. */
struct last_entry {
	enum { LAST_NONE, LAST_CALL, LAST_RELEASE, LAST_FOLDED } what;
	taddr_t addr, sp;
	taddr_t ra;         /* where it returns to; 0: not looked */
	uint64_t ptr;
	struct open_block block; /* LAST_RELEASE: what was released, if known */
	uint64_t zone;      /* … and how much larger than that it is */
	bool known;
	uint32_t at;        /* LAST_RELEASE: its stack, 0: not taken */
};

/* A faulty call that was told; when it is taken back it will be seen again. */
struct told_error { taddr_t addr, sp; bool again; };

/* -- tasks ------------------------------------------------------------------ */

enum task_state {
	TASK_RUNNING,
	TASK_STOPPED,   /* and ours to resume */
	TASK_LISTENING, /* group stop, PTRACE_LISTEN */
	TASK_NEW,       /* seized or announced, first stop not seen yet */
};

/* A handler in which SIGTRAP is blocked: until the mask is another. */
struct mask_frame {
	uint64_t mask; /* inside it, SIGTRAP included */
	bool was_blocked;
};

struct task {
	pid_t tid;
	struct proc *proc;
	enum task_state state;
	bool is_leader;
	bool borrowed;      /* another process in our memory (vfork): not followed
			       beyond its exec or exit */
	bool absent;        /* it runs nothing of the program until its next stop:
			       waits for its vfork child, or is dead */
	bool ending;        /* it stood at its exit (ending.h), … */
	bool held;          /* … and stands there still */
	bool gone;          /* it runs another image now, which is not ours */
	int stop_status;    /* while STOPPED */
	int deliver;        /* signal to hand over at the next resume */
	struct regs regs;
	VEC(struct call) calls;
	struct last_entry last;
	struct told_error told;
	taddr_t stack_lo, stack_hi; /* mapping that held sp last */
	size_t stack_want;  /* bytes to read of the stack at a time */
	bool trap_blocked;  /* the program blocks SIGTRAP in this task */
	taddr_t mask_site;  /* it is about to change that here, … */
	bool mask_next;     /* … to this; taken over once the call was made */
	VEC(struct mask_frame) mask_frames;
	bool look_at_mask;  /* the next event stop is at a handler's first
			       instruction */
	bool has_own_trap;  /* a SIGTRAP of the program's was sent again … */
	siginfo_t own_trap; /* … and this is what it was */
	struct breakpoint *stepping; /* single-stepping over it */
};

/* A stop, with the wait status as the kernel gave it. */
struct parked { pid_t tid; int status; };

/* -- processes ---------------------------------------------------------------- */

enum proc_state {
	PROC_STARTING, /* before the run-time linker has mapped the program */
	PROC_TRACING,  /* probes are in */
	PROC_IGNORED,  /* cannot be traced (x32, …), but its end is waited for */
	PROC_ENDED,
};

/* What the program has set for SIGTRAP, as far as we know. */
struct trap_action {
	bool known;       /* `act` holds it */
	bool lost;        /* a hit reset it in the kernel */
	uint8_t act[32];  /* struct sigaction of the kernel, tracee's layout */
	size_t len;
	bool ignored, handled;
};

struct range_probe { /* a function body that only forwards (operator new) */
	taddr_t start, end;
	bool zero_flag; /* a request of no bytes shows in the flags */
	uint16_t probe;
	uint8_t families;   /* 1 << family of every name it has */
	bool throws;        /* it gets memory for exceptions instead */
	bool jumps;         /* to another wrapper, of which it leaves the caller */
	struct module *module;
};

/* Instead of the stack of a mapping: an allocator asked for it.  Its memory is no
 * root of a leak scan, but for the blocks in it. */
#define MAPPED_BY_ALLOCATOR UINT32_MAX

struct proc {
	struct session *session;
	pid_t pid;
	const struct abi *abi;
	enum proc_state state;
	enum proc_how how;
	struct memory mem;
	struct mem_reader reader; /* breakpoints spliced out */
	struct u64map bps;        /* address → struct breakpoint * */
	struct u64map moribund;   /* address → 1: was one, a trap may be in flight */
	VEC(struct scratch *) scratch;
	bool no_inject;           /* seccomp, or it failed */
	taddr_t syscall_insn;     /* 0: not looked for yet, 1: none */
	struct modules modules;
	struct unwinder *unwinder;
	VEC(struct range_probe) wrappers;
	struct u64map callees;    /* return address → what was called (wrappers.c) */
	VEC(struct probe_site *) sites;
	VEC(struct task *) tasks;
	struct openset *open;
	/* Mappings as their calls told, with the stack of the call. */
	struct regions *mapped;
	bool own_break;           /* the program itself moved its break */
	/* Stack pointers at which threads have ended: their stacks are kept
	 * for the next ones, with all that is in them.  The last ones. */
	VEC(taddr_t) ended_stacks;
	struct u64map zones;      /* address → how much larger the block is */
	struct {
		size_t sites;     /* that were there when it was looked at */
		bool refused, told;
	} redzone;
	bool sanitized;           /* its allocator takes nothing from us */
	bool paused;              /* not observed just now (pause.h) */
	struct openset *doubtful; /* blocks that were open when that began; NULL */
	bool table_complete;      /* `open` holds every block there is, so that the
				     release of another address is an error */
	uint32_t space;           /* part of a stack's identity; new when a
				     module went */
	struct trap_action trap;
	uint64_t handler_mask[2]; /* two bits a signal: does its handler block
				     SIGTRAP? (sigtrap.c) */
	taddr_t linker, entry;    /* AT_BASE (0: none) and AT_ENTRY */
	size_t modules_at_exec;   /* how many there were before the linker ran */
	struct breakpoint *entry_bp; /* it is held there (entry.h); NULL: it is not */
	taddr_t brk_end;          /* the break, as the program moved it last; 0 */
	char *exe;                /* path as the tracee sees it */
	char *name;
	size_t probes_found;
	struct u64map dirty_pages; /* of text, by breakpoints */
	bool shadow_stack;
	bool code_mask_known; /* the unwinder's; learned from the first task that stops */
	bool told_stepping;
	/* A single-step, for which the other tasks are stopped (step.h). */
	struct task *stepper;     /* NULL: none */
	struct breakpoint *step_bp;
	VEC(struct parked) kept;  /* what the others reported meanwhile */
	bool from_launch;         /* launched, or a child or image of such one */
	bool exiting;             /* all of its tasks are ending, … */
	uint64_t held_since;      /* … and wait for each other since then */
	bool scanned;             /* for the last time */
	bool threaded;            /* has, or had, several threads */
	bool ended_told;
	bool seen_linkmap;
	bool hides_blocks;        /* -n, and an allocator's operators call no malloc */
	struct {                  /* census.c: it is to be tried again */
		unsigned tries;   /* so far */
		uint64_t next_ns; /* when; 0: it is over, or not wanted */
		uint64_t pause_ns; /* the program stood in all */
	} census;
	struct freed *freed;      /* released and not handed out again */
	struct {                  /* its open blocks are being listed */
		unsigned number;  /* the one of session.listings that is meant */
		uint32_t at;      /* openset_each_some() */
		bool done;
	} listing;
	struct u64map looked;     /* stack → how often addresses that it released
				     were looked for (errors.c) */
	size_t memgroup;          /* of session.memgroups (memlimit.h) */
	struct task *faulty;      /* --stop-on-error: stands at a faulty call; the
				     process is to be let go */
};

/* -- the session ---------------------------------------------------------------- */

struct expected { pid_t tid, parent, pid; };

/* Of a control group, or (folder NULL) of the system: processes that the kernel has
 * killed for want of memory, when the first of ours was seen there and those of
 * them that were ours (memlimit.h). */
struct memgroup {
	char *folder;
	uint64_t kills;
};

/* A process that was let go: a child, or one that executed another program. */
struct let_go {
	pid_t pid;
	char *name;
	bool execed;   /* it was traced, until --no-follow-exec */
	bool outlives; /* … the launched program (leftover.c) */
};

struct session {
	const struct trace_opts *opts;
	struct event_sink *sink;
	struct trace_result *result;
	struct u64map tasks;      /* tid → struct task * */
	VEC(struct proc *) procs;
	/* A new thread's first stop and its parent's event come in any order. */
	VEC(struct parked) parked;     /* the stop came first */
	VEC(struct expected) expected; /* the event came first */
	struct probe_set *probes;
	struct recorder *recorder;
	struct given_rows *given; /* what clients gave; NULL: they are not asked */
	uint64_t rows_until_ns;   /* so long a program is held for them; 0: not yet */
	struct failing *failing;  /* --inject malloc:fail; NULL: none */
	pid_t launched;           /* pid of the command; 0: none */
	bool launched_ended;
	bool hold;                /* … at its entry: `start` has not been said, … */
	uint64_t start_said_ns;   /* … or it was then, and comes true there (rows.h) */
	bool launched_let_go;     /* --no-follow-exec; its end is waited for all
				     the same: its status is ours */
	pid_t reporter;           /* the forked copy that reports; 0: none */
	bool leaving;             /* detaching: new children are let go at once */
	bool midway;              /* … in the midst of a stop, after an error */
	VEC(struct let_go) not_followed;
	unsigned long options;    /* of PTRACE_SEIZE */
	/* What we changed of ourselves and the program must not inherit. */
	struct {
		int sig[10];
		bool ignored[10];
		sigset_t mask;
		struct rlimit core;
		bool core_changed;
	} inherited;
	unsigned holding;         /* processes with a single-step, or at their end */
	unsigned listings;        /* of open blocks that were asked for */
	unsigned census_due;      /* … whose census is to be tried again */
	uint64_t stops;
	uint64_t crash_at;        /* a fault after so many, in tests */
	bool any_found;           /* some allocation function, somewhere */
	bool any_faulty;          /* a process has `faulty` */
	VEC(struct memgroup) memgroups; /* control groups that processes are in */
	timer_t nagger;           /* brings wait4() back (session.c) */
	timer_t scan_timer;       /* --scan-every */
	timer_t mark_timer;       /* --mark-every (marks.c) */
	unsigned depth;           /* frames of a backtrace */
	uint64_t beyond;          /* blocks that --max-blocks had no room for */
	uint32_t mark;            /* the last one that was set */
	bool told_marks;          /* … and that there can be no more */
	int end_signal;           /* that ended the session; 0: none */
	bool ended_early;
	bool crashed;             /* a fault of ours: only what must be done */
};

struct task *task_find(struct session *s, pid_t tid);
struct task *task_new(struct proc *proc, pid_t tid);
/* Takes it off its proc's list. */
void proc_remove_task(struct proc *proc, const struct task *task);
/* Forgets the task; the proc stays, even without tasks. */
void task_free(struct task *task);

/* A range of whole pages is mapped now, or (`stack` 0) is not any more. */
void proc_note_mapping(struct proc *p, taddr_t addr, uint64_t size, uint32_t stack);
struct proc *proc_new(struct session *s, pid_t pid);
void proc_free(struct proc *proc);
/* A task that is stopped and whose registers and memory may be used; NULL. */
struct task *proc_stopped_task(struct proc *proc);

/* Reads memory as the program would see it without us: breakpoints spliced
 * out.  Bytes or -errno. */
ssize_t proc_read(struct proc *proc, taddr_t addr, void *buf, size_t len);
/* A word of the tracee's size.  0 or -errno. */
int proc_read_word(struct proc *proc, taddr_t addr, uint64_t *out);
int proc_write(struct proc *proc, struct task *stopped, taddr_t addr, const void *buf, size_t len);

/* A number from /proc/PID/status ("Seccomp", …) in the given base, or
 * `otherwise`. */
uint64_t proc_status_number(pid_t pid, const char *key, int base, uint64_t otherwise);
/* Do two tasks run in the same memory, by kcmp(2)?  1, 0, or -1: it cannot be asked, as in
 * many containers. */
int tasks_share_memory(pid_t a, pid_t b);
/* The same by its size in /proc: that of a copy is another one, as a rule, since a fork
 * does not copy what is mapped from files. */
bool tasks_look_alike(pid_t a, pid_t b);
/* Numbers of /proc/PID/stat, numbered as in proc(5), which gives their units. */
enum { STAT_SESSION = 6, STAT_CPU = 39, STAT_START_BRK = 47 };
uint64_t proc_stat_number(pid_t tid, int field, uint64_t otherwise);
/* The letter for a task's state there; 'X' also when it is gone. */
char proc_state_letter(pid_t tid);
/* Are two addresses in the same stack mapping (from the cache or the maps)? */
bool task_same_stack(struct task *task, taddr_t a, taddr_t b);

/* Makes sure that task->regs hold what the kernel has.  0 or -errno. */
int task_get_regs(struct task *task);

#endif

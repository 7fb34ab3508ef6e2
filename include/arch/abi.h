/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What differs between ABIs: numbers and a few hooks, no system calls.  Every
 * table is built and unit-tested on every host.  The ABI of a tracee is chosen
 * at run time from its ELF header (abi_lookup); what needs the host's CPU
 * (reading registers with ptrace) is in arch/host.h. */
#ifndef MTRACE_ARCH_ABI_H
#define MTRACE_ARCH_ABI_H

#include "base/types.h"

#define ABI_MAX_REGS 48
#define ABI_MAX_ARGS 8
#define ABI_MAX_DWARF 64
#define ABI_MAX_ALIAS 3
#define DISPLACE_MAX 64 /* bytes of code in one slot of a scratch page */
#define DISPLACE_MAX_FIX 8

struct abi;

/* General registers of one task, each widened to 64 bits, in the order that
 * the ABI's indices name.  x86: user_regs_struct of x86-64 for both widths. */
struct regs {
	const struct abi *abi; /* of the thread's present mode */
	uint64_t w[ABI_MAX_REGS];
};

/* How the instruction under a breakpoint is executed elsewhere. */
enum displace_kind {
	DISPLACE_GOTO, /* no code needed: go on at `resume` (nop, endbr, jmp) */
	DISPLACE_SLOT, /* `code` goes to the slot; go on there */
	DISPLACE_STEP, /* cannot be displaced from this slot: emulate it, or
			  single-step it where that can be done */
};

enum displace_flags {
	DISPLACE_KEEP_SHADOW = 1, /* the task has a shadow stack: calls may not
				     be taken apart */
	DISPLACE_SYSCALL = 2,     /* a system call is known to be neither
				     restarted nor a clone */
};

/* What a task stands in front of, whose pc is at slot + `at`. */
enum displace_where {
	AT_ORIGINAL,    /* nothing executed yet: the pc is really `to` */
	AT_NEXT,        /* the instruction is done: the pc is really `to` */
	AT_CALL_PUSHED, /* a call, its return address half written: store all of
			   `value` at the stack pointer; the pc is really `to` */
	AT_CALL_UNDO,   /* a call through a register or memory, its return address
			   pushed and no more: add abi->word to the stack
			   pointer; the pc is really `to`, the call itself */
	AT_POP,         /* register `value` was pushed and lent: pop it; the pc is
			   really `to` */
};

struct displace_fix {
	uint8_t at;
	uint8_t where; /* enum displace_where */
	taddr_t to;
	uint64_t value;
};

struct displaced {
	enum displace_kind kind;
	taddr_t resume;   /* where a hit continues */
	uint8_t insn_len; /* of the original instruction */
	uint8_t code_len;
	uint8_t nfix;
	uint8_t trap_at;  /* where in `code` a breakpoint instruction ends it, for want of
			     a jump that reaches; 0: nowhere */
	bool whole;       /* begins with a load that reserves: a stop in its midst
			     would take the reservation, so it is not stepped; where
			     it has no slot it can have no breakpoint */
	uint8_t code[DISPLACE_MAX];
	struct displace_fix fix[DISPLACE_MAX_FIX]; /* one for each instruction
						      boundary in `code` */
};

/* The tracee's memory, for instructions that are emulated.  Both return bytes,
 * fewer than asked for when the rest cannot be reached, or -errno. */
struct abi_memory {
	ssize_t (*read)(void *arg, taddr_t addr, void *buf, size_t len);
	ssize_t (*write)(void *arg, taddr_t addr, const void *buf, size_t len);
	void *arg;
};

/* What the bytes before a return address may be. */
enum { CALL_DIRECT = 1, CALL_INDIRECT = 2, CALL_MEMORY = 4 };

enum jump_kind { NOT_A_JUMP, JUMP_DIRECT, JUMP_MEMORY, JUMP_PAST };

#define ABI_FRAME_REGS 32

/* A frame as tables of the ABI's own, or its code, describe it.  Registers are
 * DWARF numbers; all offsets are from the present value of register `base`. */
struct abi_frame {
	bool outermost;  /* nobody called this: the rest is not set */
	bool signal;     /* a signal's: it was interrupted, it did not call; the
			    CFA is the word at base + cfa */
	bool ra_saved;   /* the return address is at base + ra; else in ra_reg */
	uint8_t base, ra_reg;
	int32_t cfa, ra;
	int32_t mode;    /* of a signal's: where the word with mode_mask's bits is;
			    0: nowhere */
	uint32_t saved;  /* bit n: register n is at base + off[n] */
	int32_t off[ABI_FRAME_REGS];
};

/* A stretch of code as it is in its file. */
struct abi_code {
	const uint8_t *bytes;
	taddr_t start, end;
	taddr_t unknown; /* the function that begins at `start` ends here; others may
			    follow, of which nothing is known */
};

struct abi {
	const char *name;
	uint16_t e_machine;
	uint8_t e_class, e_data; /* ELFCLASS…, ELFDATA… */
	uint8_t word;            /* bytes of a pointer */
	uint16_t regset_len;     /* bytes of NT_PRSTATUS in this mode */

	/* Indices into regs.w; −1 where there is none.  orig_syscall has the number
	 * of the system call that a task is in when it ends; −1: syscall_nr has. */
	int8_t pc, sp, fp, retval, retval_high, link, syscall_ret, orig_syscall;
	int8_t reg_arg[ABI_MAX_ARGS];
	uint8_t nreg_args;
	uint8_t stack_arg; /* first stack argument, bytes above sp at entry */
	uint8_t ret_pops;  /* bytes that a plain return takes off the stack */
	uint8_t red_zone;  /* bytes below sp that a leaf function may use */
	uint8_t malloc_align; /* glibc's MALLOC_ALIGNMENT: of every block */
	uint8_t sigaction_words; /* of the kernel's struct sigaction before its mask: handler,
				    flags, and the restorer where it has one (its asm/signal.h) */
	/* The bits of a pointer to data that the machine heeds (AArch64: without
	 * the tag in its highest byte).  Blocks, events and leak scans have
	 * addresses; what is given to the program keeps its tag.  0: all. */
	uint64_t data_mask;
	/* Thread-local variables lie above the thread pointer ("variant I" in ELF
	 * Handling For Thread-Local Storage), and libc's own data of the thread
	 * below it; else the other way round. */
	bool tls_above;
	/* Is the word at sp in every frame that calls the caller's sp
	 * (PowerPC)?  Then so many bytes above that is the return address;
	 * 0: it is not. */
	uint8_t back_chain_ra;

	/* A code pointer is an address with the instruction set in this bit (ARM:
	 * 1, set for Thumb), as symbols, link registers and function pointers
	 * have it; 0: a code pointer is an address.  All hooks below take and
	 * give code pointers; breakpoints, modules, backtraces, events and
	 * regs.w[pc] have addresses. */
	uint8_t code_bit;
	/* Where a thread's present instruction set stands: set bits of
	 * mode_mask in regs.w[mode_reg] are the code bit.  −1: only one. */
	int8_t mode_reg;
	uint32_t mode_mask;
	/* Bits of it that belong to the place where the thread stands, and are
	 * cleared when it is sent to another (ARM: the state of an IT block). */
	uint32_t place_mask;

	/* Breakpoint; the second one for code pointers with the code bit. */
	uint8_t bp_insn[4], bp_alt_insn[4];
	uint8_t bp_len, bp_alt_len;
	uint8_t bp_pc_adjust; /* pc at the stop − address of the breakpoint */
	bool has_singlestep;

	/* System calls made on the tracee's behalf. */
	uint8_t syscall_insn[4], syscall_alt_insn[4]; /* as of the breakpoint */
	uint8_t syscall_insn_len, syscall_alt_len;
	int8_t syscall_nr;     /* register that takes the number */
	int8_t syscall_arg[6];
	int nr_mmap;           /* mmap2 (offset in pages) on 32 bit */
	int nr_munmap, nr_madvise, nr_rt_sigaction, nr_rt_sigprocmask;
	int nr_execve, nr_execveat;
	int nr_exit; /* of one thread; exit_group ends them all */
	/* restart_syscall(2), where only the kernel knows whether an interrupted
	 * call is to go on with that or begins anew: it has set the registers back
	 * before the stop (ARM).  −1: they tell (x86, PowerPC). */
	int nr_restart;
	/* Where an error is a flag, and the result then is errno itself
	 * (PowerPC): bits of that register.  0: an error is −errno. */
	uint32_t syscall_error_mask;
	int8_t syscall_error_reg;

	/* DWARF register numbers (the psABI's table), as far as the unwinder
	 * needs them; −1 where regs.w has no such register. */
	uint8_t ndwarf;
	uint8_t dwarf_pc, dwarf_sp, dwarf_fp;
	int8_t fp_pair; /* bytes from the frame pointer to the caller's one, which the return
			   address follows; where it is not 0, a frame pointer of 0 ends no
			   stack */
	int8_t dwarf_reg[ABI_MAX_DWARF];
	/* Bit n set: DWARF register n keeps its value over a call where the
	 * call-frame information says nothing of it. */
	uint64_t dwarf_preserved;
	/* Numbers that call-frame information uses, too large or double, and the
	 * ones below ABI_MAX_DWARF that stand for them in all of the above;
	 * what these themselves mean is of no use then.  Ends with to = 0. */
	struct { uint16_t number; uint8_t to; } dwarf_alias[ABI_MAX_ALIAS];

	/* Bytes that the hooks look at: the longest instruction, or more where a
	 * few belong together (a PLT stub); and how near a slot must be to its
	 * instruction for displace() not to need DISPLACE_STEP for want of reach
	 * (0: anywhere); memory operands as far from the instruction are assumed. */
	uint8_t max_insn;
	uint8_t insn_align; /* of every instruction, in bytes */
	uint64_t slot_reach;

	/* Prepares the instruction at `code` (bytes `insn`, `len` of them, at
	 * least max_insn where memory allows) to run at the address `slot`;
	 * `flags` are of enum displace_flags.  0, or -EINVAL when the bytes are
	 * no instruction or not all of one. */
	int (*displace)(const struct abi *, taddr_t code, const uint8_t *insn, size_t len,
			taddr_t slot, unsigned flags, struct displaced *out);
	/* Executes the instruction at `code` on registers and memory of a stopped
	 * thread, whose regs->w[pc] (and mode) then are those behind it.  What
	 * cannot be displaced, or has no slot, is tried so; nothing is changed
	 * unless 0 is returned.  -ENOTSUP: not this instruction (or this value of
	 * the registers); -EFAULT: the memory.  NULL: none can be emulated. */
	int (*emulate)(const struct abi *, const struct abi_memory *, taddr_t code,
		       const uint8_t *insn, size_t len, struct regs *regs);
	/* Is the instruction an unconditional jump?  JUMP_DIRECT: *where is the
	 * target; JUMP_MEMORY: *where is the address of the word that holds it
	 * (a PLT stub); JUMP_PAST: a no-operation (endbr), *where follows it. */
	enum jump_kind (*jump)(const struct abi *, taddr_t addr, const uint8_t *insn, size_t len,
			       taddr_t *where);
	/* May a call end at `ra`?  `code` are the `len` bytes before it; of
	 * variable-length code this cannot be told for certain.  CALL_… bits;
	 * CALL_DIRECT: *target is the place it calls; CALL_MEMORY (with
	 * CALL_INDIRECT): the address of a word that holds it.  NULL: cannot be
	 * told. */
	unsigned (*call_before)(const struct abi *, taddr_t ra, const uint8_t *code, size_t len,
				taddr_t *target);
	/* Length of the instruction in bytes, or -EINVAL. */
	int (*insn_length)(const struct abi *, taddr_t addr, const uint8_t *insn, size_t len);
	/* May the instruction at `code` be in a block of conditional ones that an
	 * earlier one begins (Thumb: it)?  `before` are the `len` bytes before it;
	 * of variable-length code this cannot be told for certain.  NULL: there is
	 * no such thing. */
	bool (*in_block)(const struct abi *, taddr_t code, const uint8_t *before, size_t len);
	/* Does a system call with a constant number begin at code[0], in the
	 * way the C libraries write it?  Its number, or −1; *at: the
	 * instruction (bytes from code, with the code bit) that enters the
	 * kernel, at which all arguments are in their registers.  NULL: cannot be
	 * told on this ABI. */
	int (*syscall_site)(const struct abi *, const uint8_t *code, size_t len, unsigned *at);
	uint8_t nr_load_byte; /* with which such code begins, if insn_align is 1 */
	/* Does a function that begins so compare its first argument with zero,
	 * and do its flags still say so at its first call?  flag_zero then
	 * tells.  Both NULL where there is no such thing. */
	bool (*tests_zero)(const struct abi *, const uint8_t *code, size_t len);
	bool (*flag_zero)(const struct regs *);
	/* The frame that a table of the ABI's own describes (ARM's .ARM.exidx):
	 * `ops` are the n bytes of one entry (elf_file_exidx).  False: nothing
	 * that can be told so.  NULL: there are no such tables. */
	bool (*exidx)(const struct abi *, const uint8_t *ops, size_t n, struct abi_frame *out);
	/* The frame in which a thread is before it executes the instruction at
	 * `pc`, from the code between the function's beginning and there.  False:
	 * cannot be told.  NULL: not on this ABI. */
	bool (*prologue)(const struct abi *, const struct abi_code *code, taddr_t pc,
			 struct abi_frame *out);
	/* Is the code at `pc` that to which a signal handler returns?  Then its
	 * frame.  NULL: call-frame information says so. */
	bool (*sigreturn)(const struct abi *, taddr_t pc, const uint8_t *code, size_t len,
			  struct abi_frame *out);
};

extern const struct abi abi_x86_64, abi_i386;
extern const struct abi abi_arm, abi_aarch64, abi_riscv64;
extern const struct abi abi_powerpc;

/* The ABI of an ELF header's fields.  NULL: not one of ours (x32 is class 32
 * with machine x86-64, and is refused so). */
const struct abi *abi_lookup(unsigned e_machine, unsigned e_class, unsigned e_data);
/* The i-th ABI, NULL behind the last. */
const struct abi *abi_at(size_t i);

/* Finds the fix for a task whose pc is `offset` into the slot's code.  NULL:
 * the offset is not at an instruction boundary. */
const struct displace_fix *displace_fix_at(const struct displaced *d, uint64_t offset);

/* For displace(): it cannot be displaced, or needs no code.  Both return 0. */
int displaced_step(struct displaced *d, taddr_t code);
int displaced_goto(struct displaced *d, taddr_t target);
/* For displace(): the next instruction begins here, and a task that stands before it is to
 * be fixed so. */
struct displace_fix *displaced_mark(struct displaced *d, enum displace_where where, taddr_t to);

/* The number by which the unwinder knows a register of call-frame information, −1
 * if it does not; and the other way round. */
int abi_dwarf_known(const struct abi *abi, uint64_t number);
unsigned abi_dwarf_number(const struct abi *abi, unsigned known);

/* A number of `size` bytes in the ABI's byte order. */
static inline uint64_t abi_load(const struct abi *abi, const uint8_t *b, unsigned size)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)b[i] << 8 * (abi->e_data == 1 ? i : size - 1 - i);
	return v;
}

static inline void abi_store(const struct abi *abi, uint8_t *b, unsigned size, uint64_t v)
{
	for (unsigned i = 0; i < size; i++)
		b[i] = (uint8_t)(v >> 8 * (abi->e_data == 1 ? i : size - 1 - i));
}

/* The address that a code pointer means. */
static inline taddr_t abi_code_addr(const struct abi *abi, taddr_t code)
{
	return code & ~(taddr_t)abi->code_bit;
}

/* The breakpoint instruction for a place in code, and its length. */
static inline const uint8_t *abi_bp(const struct abi *abi, taddr_t code, unsigned *len)
{
	bool alt = code & abi->code_bit;

	*len = alt ? abi->bp_alt_len : abi->bp_len;
	return alt ? abi->bp_alt_insn : abi->bp_insn;
}

/* The address that a pointer to data means. */
static inline taddr_t abi_data_addr(const struct abi *abi, taddr_t ptr)
{
	return abi->data_mask ? ptr & abi->data_mask : ptr;
}

static inline taddr_t regs_pc(const struct regs *r) { return r->w[r->abi->pc]; }
/* The pc as a code pointer. */
static inline taddr_t regs_code(const struct regs *r)
{
	const struct abi *abi = r->abi;

	return r->w[abi->pc] |
	       (abi->code_bit && r->w[abi->mode_reg] & abi->mode_mask ? abi->code_bit : 0);
}
/* Sets the pc, and the instruction set, to a code pointer, where nothing has begun. */
static inline void regs_set_code(struct regs *r, taddr_t code)
{
	const struct abi *abi = r->abi;

	r->w[abi->pc] = abi_code_addr(abi, code);
	if (!abi->code_bit)
		return;
	r->w[abi->mode_reg] &= ~(uint64_t)(abi->mode_mask | abi->place_mask);
	if (code & abi->code_bit)
		r->w[abi->mode_reg] |= abi->mode_mask;
}
static inline taddr_t regs_sp(const struct regs *r) { return r->w[r->abi->sp]; }
/* What a system call returned: −4095…−1 is an error in both word sizes. */
static inline int64_t regs_syscall_result(const struct regs *r)
{
	uint64_t v = r->w[r->abi->syscall_ret];

	if (r->abi->syscall_error_mask &&
	    r->w[r->abi->syscall_error_reg] & r->abi->syscall_error_mask)
		return -(int64_t)v;
	if (r->abi->word == 4)
		v = (uint32_t)v > -4096u ? (uint64_t)(int32_t)v : (uint32_t)v;
	return (int64_t)v;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floor: the least that a tracer built on ptrace and breakpoints can cost.
 *
 *      floor PROGRAM [ARGUMENT...]
 *
 * It traces malloc, calloc, realloc and free of allocbench with one thread, and knows nothing
 * else.  Per stop it does wait4, GETREGS, POKEUSER of the pc and CONT; per allocation also one
 * read of 4 KiB of stack.  The instruction under a breakpoint is executed displaced, in a page
 * put into the tracee; nothing is single-stepped and nothing accounted.  Before and
 * after it measures a bare breakpoint, wait4 and CONT only, and prints the mean: the machine may
 * have become busier meanwhile.  x86-64 only. */
#include <stdio.h>

#ifdef __x86_64__

#include <Zydis/Zydis.h>
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BARE_TRIPS 20000
#define MAX_SITES 64
#define SLOT_SIZE 64

struct site {
	uint64_t addr, slot;
};

static const char *const entry_names[] = { "malloc", "calloc", "realloc", "free" };
enum { FREE = 3, ENTRIES = 4 };

static pid_t pid;
static int mem_fd;
static struct site entries[ENTRIES], returns[MAX_SITES];
static unsigned num_returns;
static uint64_t libc_slots, program_slots, program_begin, program_end;
static ZydisDecoder decoder;

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
	if (pid > 0)
		kill(pid, SIGKILL);
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static void read_mem(uint64_t addr, void *buf, size_t n)
{
	if (pread(mem_fd, buf, n, (off_t)addr) != (ssize_t)n)
		die("cannot read the tracee");
}

static void write_mem(uint64_t addr, const void *buf, size_t n)
{
	if (pwrite(mem_fd, buf, n, (off_t)addr) != (ssize_t)n)
		die("cannot write to the tracee");
}

static int next_status(void)
{
	int status;

	if (wait4(pid, &status, __WALL, NULL) != pid)
		die("wait4");
	return status;
}

/* -- a bare round trip ------------------------------------------------------------------- */

static double bare_round_trip(void)
{
	double begin;
	int status, i;

	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		for (i = 0; i < BARE_TRIPS; i++)
			__asm__ volatile("int3");
		_exit(0);
	}
	next_status();
	begin = now();
	do {
		ptrace(PTRACE_CONT, pid, 0, 0);
		status = next_status();
	} while (WIFSTOPPED(status));
	pid = 0;
	return (now() - begin) / BARE_TRIPS;
}

/* -- the start --------------------------------------------------------------------------- */

/* Up to the first stop at the program's entry point, where its libraries are mapped. */
static uint64_t entry_point(void)
{
	char path[64];
	uint64_t pair[2], entry = 0;
	int fd;

	snprintf(path, sizeof path, "/proc/%d/auxv", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (read(fd, pair, sizeof pair) == sizeof pair && pair[0] != AT_NULL)
		if (pair[0] == AT_ENTRY)
			entry = pair[1];
	close(fd);
	return entry;
}

static void start(char **argv)
{
	static const uint8_t int3 = 0xcc;
	struct user_regs_struct regs;
	char path[64];
	uint64_t entry;
	uint8_t saved;

	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (!WIFSTOPPED(next_status()))
		die(argv[0]);
	ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_EXITKILL);
	snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
	mem_fd = open(path, O_RDWR | O_CLOEXEC);
	if (mem_fd < 0)
		die(path);
	entry = entry_point();
	read_mem(entry, &saved, 1);
	write_mem(entry, &int3, 1);
	ptrace(PTRACE_CONT, pid, 0, 0);
	if (!WIFSTOPPED(next_status()))
		die("the program ended before its entry point");
	write_mem(entry, &saved, 1);
	ptrace(PTRACE_GETREGS, pid, 0, &regs);
	regs.rip = entry;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
}

/* First and last address of the mappings of a file, known by the end of its name. */
static int mapped_range(pid_t of, const char *name, uint64_t *begin, uint64_t *end)
{
	char path[64], line[4096];
	unsigned long lo, hi;
	FILE *maps;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)of);
	maps = fopen(path, "r");
	if (!maps)
		die(path);
	*begin = *end = 0;
	while (fgets(line, sizeof line, maps)) {
		size_t n = strlen(line);

		if (n && line[n - 1] == '\n')
			line[--n] = 0;
		if (n < strlen(name) || strcmp(line + n - strlen(name), name) ||
		    sscanf(line, "%lx-%lx", &lo, &hi) != 2)
			continue;
		if (!*begin)
			*begin = lo;
		*end = hi;
	}
	fclose(maps);
	return *begin ? 0 : -1;
}

/* A page that displaced instructions reach from, with 32 bits, what they did before. */
static uint64_t map_slots(uint64_t near)
{
	static const uint8_t code[] = { 0x0f, 0x05, 0xcc }; /* syscall; int3 */
	struct user_regs_struct saved, regs;
	uint8_t old[sizeof code];

	ptrace(PTRACE_GETREGS, pid, 0, &saved);
	read_mem(saved.rip, old, sizeof old);
	write_mem(saved.rip, code, sizeof code);
	regs = saved;
	regs.rax = SYS_mmap;
	regs.rdi = near;
	regs.rsi = MAX_SITES * SLOT_SIZE;
	regs.rdx = PROT_READ | PROT_EXEC;
	regs.r10 = MAP_PRIVATE | MAP_ANONYMOUS;
	regs.r8 = (uint64_t)-1;
	regs.r9 = 0;
	ptrace(PTRACE_SETREGS, pid, 0, &regs);
	ptrace(PTRACE_CONT, pid, 0, 0);
	next_status();
	ptrace(PTRACE_GETREGS, pid, 0, &regs);
	write_mem(saved.rip, old, sizeof old);
	ptrace(PTRACE_SETREGS, pid, 0, &saved);
	if (regs.rax > -4096ULL)
		die("no page for displaced instructions");
	return regs.rax;
}

/* -- breakpoints ------------------------------------------------------------------------- */

static int32_t offset32(uint64_t to, uint64_t from)
{
	int64_t d = (int64_t)(to - from);

	if (d != (int32_t)d) {
		errno = ERANGE;
		die("the page for displaced instructions is too far away");
	}
	return (int32_t)d;
}

/* Copies the instruction at `addr` to a slot, followed by a jump back, and plants an int3. */
static void plant(struct site *s, uint64_t addr, uint64_t *slots)
{
	static const uint8_t int3 = 0xcc;
	ZydisDecodedInstruction insn;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	uint8_t code[SLOT_SIZE] = { 0 };
	int32_t offset;
	size_t n;

	s->addr = addr;
	s->slot = *slots;
	*slots += SLOT_SIZE;
	read_mem(addr, code, 15);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, 15, &insn, operands)))
		die("cannot decode an instruction");
	n = insn.length;
	if (insn.attributes & ZYDIS_ATTRIB_IS_RELATIVE) {
		/* rip + disp32, or a branch with its target as an immediate: jcc, jmp, call */
		uint64_t target = addr + n;

		if (insn.raw.imm[0].is_relative) {
			target += (uint64_t)insn.raw.imm[0].value.s;
			if (insn.meta.category == ZYDIS_CATEGORY_COND_BR && n == 2) {
				code[1] = 0x80 | (code[0] & 15);
				code[0] = 0x0f;
				n = 6;
			} else if (insn.meta.category == ZYDIS_CATEGORY_UNCOND_BR) {
				code[0] = 0xe9;
				n = 5;
			} else if (insn.meta.category != ZYDIS_CATEGORY_COND_BR) {
				errno = ENOTSUP;
				die("a call stands where a breakpoint is needed");
			}
			offset = offset32(target, s->slot + n);
			memcpy(code + n - 4, &offset, 4);
		} else {
			offset = offset32(target + (uint64_t)insn.raw.disp.value, s->slot + n);
			memcpy(code + insn.raw.disp.offset, &offset, 4);
		}
	}
	code[n++] = 0xe9;
	offset = offset32(addr + insn.length, s->slot + n + 4);
	memcpy(code + n, &offset, 4);
	write_mem(s->slot, code, n + 4);
	write_mem(addr, &int3, 1);
}

static void plant_entries(void)
{
	uint64_t own = 0, theirs = 0, end;
	unsigned i;

	if (mapped_range(getpid(), "/libc.so.6", &own, &end) ||
	    mapped_range(pid, "/libc.so.6", &theirs, &end))
		die("no libc.so.6 is mapped");
	libc_slots = map_slots(theirs - 0x10000000);
	program_slots = map_slots(program_begin - 0x10000000);
	for (i = 0; i < ENTRIES; i++) {
		void *f = dlsym(RTLD_DEFAULT, entry_names[i]);

		plant(&entries[i], (uint64_t)(uintptr_t)f - own + theirs, &libc_slots);
	}
}

static const struct site *find(const struct site *sites, unsigned n, uint64_t addr)
{
	for (; n; n--, sites++)
		if (sites->addr == addr)
			return sites;
	return NULL;
}

/* -- the loop ---------------------------------------------------------------------------- */

static void trace(double bare)
{
	static uint8_t stack[4096];
	unsigned long stops = 0, calls = 0;
	struct user_regs_struct regs;
	uint64_t stack_begin, stack_end;
	int status;

	if (mapped_range(pid, "[stack]", &stack_begin, &stack_end))
		die("no stack");
	for (;;) {
		const struct site *s;
		uint64_t pc;

		ptrace(PTRACE_CONT, pid, 0, 0);
		status = next_status();
		if (!WIFSTOPPED(status))
			break;
		if (WSTOPSIG(status) != SIGTRAP)
			die("a signal, which the floor knows nothing of");
		stops++;
		ptrace(PTRACE_GETREGS, pid, 0, &regs);
		pc = regs.rip - 1;
		s = find(entries, ENTRIES, pc);
		if (s)
			calls++;
		if (s && s != &entries[FREE]) {
			size_t n = stack_end - regs.rsp < sizeof stack ? stack_end - regs.rsp : sizeof stack;
			struct iovec local = { stack, n }, remote = { (void *)(uintptr_t)regs.rsp, n };
			uint64_t from;

			if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)n)
				die("process_vm_readv");
			memcpy(&from, stack, sizeof from);
			if (from >= program_begin && from < program_end &&
			    !find(returns, num_returns, from) && num_returns < MAX_SITES)
				plant(&returns[num_returns++], from, &program_slots);
		} else if (!s) {
			s = find(returns, num_returns, pc);
			if (!s)
				die("a breakpoint that is not the floor's");
		}
		ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rip), s->slot);
	}
	bare = (bare + bare_round_trip()) / 2;
	printf("floor: bare round trip %.0f ns, %lu calls, %lu stops, status %#x\n", bare, calls, stops,
		(unsigned)status);
}

int main(int argc, char **argv)
{
	char name[4096];
	double bare;

	if (argc < 2) {
		fprintf(stderr, "usage: floor PROGRAM [ARGUMENT...]\n");
		return 2;
	}
	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	bare = bare_round_trip();
	if (!realpath(argv[1], name))
		die(argv[1]);
	start(argv + 1);
	if (mapped_range(pid, name, &program_begin, &program_end))
		die(name);
	plant_entries();
	trace(bare);
	return 0;
}

#else

int main(void)
{
	fprintf(stderr, "floor: only x86-64 has this floor\n");
	return 77;
}

#endif

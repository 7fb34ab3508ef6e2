/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Under a seccomp filter that kills for anonymous executable mappings, for
 * mprotect to executable and for madvise(MADV_DONTFORK): first in the process
 * that sets it, in the midst of allocating, then in an image it executes.
 * Build: plain.  Run: traced from the start; and attached after the filter. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include "expect.h"

#define ALLOCATIONS ROUNDS_OF(500, 100)
#define NR offsetof(struct seccomp_data, nr)
/* The low half of an argument, of two words. */
#define ARG(n) (offsetof(struct seccomp_data, args) + (n) * 8 + \
		(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0))

#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (at))
#define UNLESS_EQUAL(value, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (value), 0, (skip))
#define UNLESS_SET(bits, skip) BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (bits), 0, (skip))
#define RETURN(what) BPF_STMT(BPF_RET | BPF_K, (what))
#ifdef SYS_mmap2
#define OUR_MMAP SYS_mmap2
#else
#define OUR_MMAP SYS_mmap
#endif

static void set_filter(void)
{
	struct sock_filter code[] = {
		LOAD(NR),
		UNLESS_EQUAL(OUR_MMAP, 6),
		LOAD(ARG(2)),
		UNLESS_SET(PROT_EXEC, 3),
		LOAD(ARG(3)),
		UNLESS_SET(MAP_ANONYMOUS, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(NR),
		UNLESS_EQUAL(SYS_mprotect, 4),
		LOAD(ARG(2)),
		UNLESS_SET(PROT_EXEC, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		LOAD(NR),
		UNLESS_EQUAL(SYS_madvise, 3),
		LOAD(ARG(2)),
		UNLESS_EQUAL(MADV_DONTFORK, 1),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		RETURN(SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof code / sizeof *code, code };

	EXPECT_THAT(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	EXPECT_THAT(!prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
}

__attribute__((noinline)) static void seccomp_alloc(void)
{
	void *p = malloc(200);

	KEEP(p);
	EXPECT_THAT(p);
	free(p);
}

static void allocate(void)
{
	for (int i = 0; i < ALLOCATIONS; i++)
		seccomp_alloc();
}

int main(int argc, char **argv)
{
	char *again[] = { "harm-seccomp", "filtered", NULL };

	(void)argv;
	allocate();
	if (argc > 1) {
		expect_stack("seccomp_alloc", "total_blocks", ALLOCATIONS);
		expect_stack("seccomp_alloc", "open_blocks", 0);
		return 0;
	}
	set_filter();
	allocate();
	execv("/proc/self/exe", again);
	return 97;
}

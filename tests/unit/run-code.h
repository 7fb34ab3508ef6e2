/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests that execute instructions on the CPU itself, in pages of their own: signals,
 * pages at fixed addresses, and memory of this process as a tracee's. */
#ifndef MTRACE_TESTS_RUN_CODE_H
#define MTRACE_TESTS_RUN_CODE_H

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "arch/abi.h"

/* In the test itself, since cmocka has handlers of its own for faults.  On a stack of its
 * own: the code that is run has any stack pointer. */
static inline void run_code_catch(void (*handler)(int, siginfo_t *, void *))
{
	static char alternate[65536];
	static const int sigs[] = { SIGUSR1, SIGTRAP, SIGSEGV, SIGILL, SIGBUS, SIGFPE };
	struct sigaction sa = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	stack_t ss = { .ss_sp = alternate, .ss_size = sizeof alternate };

	sigaltstack(&ss, NULL);
	sigfillset(&sa.sa_mask);
	for (size_t i = 0; i < sizeof sigs / sizeof sigs[0]; i++)
		sigaction(sigs[i], &sa, NULL);
}

/* NULL: something else is there. */
static inline void *run_code_map(uintptr_t at, size_t size)
{
	void *p = mmap((void *)at, size, PROT_READ | PROT_WRITE | PROT_EXEC,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (p != MAP_FAILED && p != (void *)at) /* a kernel older than 4.17 */
		munmap(p, size);
	return p == (void *)at ? p : NULL;
}

static inline ssize_t run_code_read(void *arg, taddr_t addr, void *buf, size_t len)
{
	(void)arg;
	memcpy(buf, (void *)(uintptr_t)addr, len);
	return (ssize_t)len;
}

static inline ssize_t run_code_write(void *arg, taddr_t addr, const void *buf, size_t len)
{
	(void)arg;
	memcpy((void *)(uintptr_t)addr, buf, len);
	return (ssize_t)len;
}

#endif

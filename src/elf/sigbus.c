/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A file that shrinks while it is mapped (a package manager that writes in
 * place, a linker that runs again) gives SIGBUS to who reads what is gone.
 * That must not end a tracer with its breakpoints planted: the lost page is
 * replaced by zeros, and the file just has fewer answers. */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>
#include "file.h"

static struct sigaction before;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	const uint8_t *at = info->si_addr;
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	if (info->si_code == BUS_ADRERR && file_maps_address(at) &&
	    mmap((void *)((uintptr_t)at & ~(page - 1)), page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED)
		return;
	/* Not ours: it happens again, and whose it is gets it. */
	sigaction(sig, &before, NULL);
	if (info->si_code > 0)
		return;
	/* But not one that was sent. */
	if (before.sa_flags & SA_SIGINFO)
		before.sa_sigaction(sig, info, context);
	else
		raise(sig);
}

void file_guard_sigbus(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO | SA_RESTART };
	struct sigaction now;

	/* Others may have set a handler since. */
	if (sigaction(SIGBUS, NULL, &now) < 0 ||
	    (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_sigbus))
		return;
	before = now;
	sigemptyset(&sa.sa_mask);
	sigaction(SIGBUS, &sa, NULL);
}

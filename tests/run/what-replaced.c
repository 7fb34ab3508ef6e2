/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allocates through a library, slowly, until it is told to end by SIGTERM.
 * Build: lib=what-replaced-lib. */
#include <signal.h>
#include <stdio.h>
#include "expect.h"

void *library_get(size_t n);

static volatile sig_atomic_t stop;

static void on_term(int sig)
{
	(void)sig;
	stop = 1;
}

__attribute__((noinline)) static void program_get(void)
{
	void *p = library_get(50);

	KEEP(p);
	free(p);
}

int main(void)
{
	signal(SIGTERM, on_term);
	while (!stop) {
		program_get();
		usleep(2000);
	}
	return 0;
}

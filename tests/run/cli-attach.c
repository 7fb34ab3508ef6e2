/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 64 threads (8 in an emulated machine) that allocate, a little apart from each other, for 100 s or until
 * a file named "stop" appears; each checks its blocks.  Without an argument;
 * with one: only the first thread. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "expect.h"

#define OTHERS ROUNDS_OF(63, 7)

static volatile int stop;

static void *allocate(void *arg)
{
	long n = (long)arg;

	while (!stop) {
		unsigned char *p = malloc(100 + (size_t)n);

		memset(p, (int)n, 100 + (size_t)n);
		usleep(1000);
		if (p[0] != n || p[99 + n] != n)
			_exit(1);
		free(p);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t thread[OTHERS];
	int n = argc > 1 ? 0 : OTHERS;

	(void)argv;
	for (long i = 0; i < n; i++)
		pthread_create(&thread[i], NULL, allocate, (void *)(i + 1));
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < 20000 && access("stop", F_OK); i++) {
		free(malloc(64));
		usleep(5000);
	}
	stop = 1;
	for (long i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	return 6;
}

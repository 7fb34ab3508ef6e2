/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The end of one thread is not that of the process: what is lost after it is found.  The
 * process ends with status 1, which is the number of a thread's exit on most machines. */
#include <pthread.h>

#include "expect.h"

static void *volatile kept;

static void *ends(void *arg)
{
	return arg;
}

static void *stays(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	pthread_t stayed, ended;

	kept = malloc(50);
	EXPECT_THAT(!pthread_create(&stayed, NULL, stays, NULL));
	EXPECT_THAT(!pthread_create(&ended, NULL, ends, NULL));
	pthread_join(ended, NULL);
	kept = NULL;
	expect("leaks.definite.blocks", 1);
	expect("leaks.definite.bytes", 50);
	return 1;
}

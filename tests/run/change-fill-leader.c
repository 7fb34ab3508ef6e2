/* SPDX-License-Identifier: GPL-2.0-or-later */
/* With --malloc-fill=a5 --redzone-size=16: the first thread ends before the other, which
 * finds what it is given filled, and writes behind it.  Build: -pthread. */
#include <pthread.h>
#include <stdio.h>

#include "expect.h"

/* Its stat file is there until all have ended. */
static int first_has_ended(void)
{
	char path[40], line[256], *state;
	ssize_t n;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)getpid());
	fd = open(path, O_RDONLY);
	n = read(fd, line, sizeof line - 1);
	close(fd);
	line[n > 0 ? n : 0] = '\0';
	state = strrchr(line, ')');
	return state && state[1] && state[2] == 'Z';
}

static void *other(void *arg)
{
	unsigned char *p;

	while (!first_has_ended())
		usleep(1000);
	p = malloc(200);
	KEEP(p);
	for (int i = 0; i < 200; i++)
		EXPECT_THAT(p[i] == 0xa5);
	p[200] = 'x';
	KEEP(p);
	free(p);
	expect_error("overrun", 1);
	exit(0);
	return arg;
}

int main(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, other, NULL))
		return 97;
	pthread_exit(NULL);
}

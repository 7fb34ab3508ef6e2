/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that wait in the kernel stay there, whatever is done to others: read()
 * of a pipe, epoll_wait, poll, nanosleep, a futex, a semaphore and accept end
 * only when there is cause, with all of the data, and never with EINTR.
 * Usage: harm-wait [read]; with `read` only those waits that the kernel
 * restarts (signal(7)), for an attach in the middle.
 * Build: -pthread.  Run: traced from the start; attached and detached meanwhile. */
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include "expect.h"

#define SECONDS 0.6
#define BYTES 8

static int pipes[3][2], listener;
static struct sockaddr_un address = { .sun_family = AF_UNIX, .sun_path = "\0harm-wait" };
static socklen_t address_len;
static sem_t sem;
static int done;
static long long allocs;

__attribute__((noinline)) static void wait_alloc(void)
{
	void *p = malloc(70);

	KEEP(p);
	free(p);
	__atomic_add_fetch(&allocs, 1, __ATOMIC_RELAXED);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void read_pipe(void)
{
	char buf[BYTES];

	EXPECT_THAT(read(pipes[0][0], buf, BYTES) == BYTES);
	EXPECT_THAT(!memcmp(buf, "12345678", BYTES));
}

static void accept_one(void)
{
	int fd = accept(listener, NULL, NULL);

	EXPECT_THAT(fd >= 0);
	close(fd);
}

static void wait_semaphore(void)
{
	EXPECT_THAT(!sem_wait(&sem));
}

static void sleep_on(void)
{
	struct timespec t = { 0, (long)(SECONDS * 1e9) };
	double begin = now();

	EXPECT_THAT(!nanosleep(&t, NULL));
	EXPECT_THAT(now() - begin >= SECONDS);
}

static void poll_pipe(void)
{
	struct pollfd p = { .fd = pipes[1][0], .events = POLLIN };

	EXPECT_THAT(poll(&p, 1, 20000) == 1 && p.revents == POLLIN);
}

static void wait_epoll(void)
{
	struct epoll_event want = { .events = EPOLLIN, .data = { .u32 = 5 } }, is;
	int ep = epoll_create1(0);

	EXPECT_THAT(!epoll_ctl(ep, EPOLL_CTL_ADD, pipes[2][0], &want));
	EXPECT_THAT(epoll_wait(ep, &is, 1, 20000) == 1 && is.data.u32 == 5);
	close(ep);
}

/* The first three are restarted by the kernel after a stop, the fourth goes on
 * with what is left of its time. */
static void (*const waits[])(void) = { read_pipe,  accept_one, wait_semaphore,
				       sleep_on, poll_pipe,  wait_epoll };

static void *waiter(void *arg)
{
	wait_alloc();
	(*(void (*const *)(void))arg)();
	wait_alloc();
	__atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void wake_all(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	for (int i = 0; i < 3; i++)
		EXPECT_THAT(write(pipes[i][1], "12345678", BYTES) == BYTES);
	EXPECT_THAT(!connect(fd, (struct sockaddr *)&address, address_len));
	sem_post(&sem);
	close(fd);
}

int main(int argc, char **argv)
{
	int n = argc > 1 && *argv[1] == 'r' ? 4 : 6;
	double end = now() + SECONDS;
	pthread_t t[6];

	for (int i = 0; i < 3; i++)
		EXPECT_THAT(!pipe(pipes[i]));
	sem_init(&sem, 0, 0);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	address_len = sizeof(sa_family_t) + (socklen_t)sprintf(address.sun_path + 1, "harm-wait-%d", getpid()) + 1;
	EXPECT_THAT(!bind(listener, (struct sockaddr *)&address, address_len));
	EXPECT_THAT(!listen(listener, 1));
	for (int i = 0; i < n; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, waiter, (void *)&waits[i]));
	while (now() < end - 0.1) {
		wait_alloc();
		EXPECT_THAT(!__atomic_load_n(&done, __ATOMIC_SEQ_CST));
	}
	wake_all();
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	expect_stack("wait_alloc", "total_blocks", allocs);
	expect_stack("wait_alloc", "open_blocks", 0);
	return 0;
}

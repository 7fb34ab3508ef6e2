/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The target of many attaches and detaches: 16 threads allocate and check their
 * blocks, another is blocked in read(), until the file STOP exists; then the
 * executable mappings must equal their files byte for byte, no task may have a
 * tracer, SIGTRAP must be as it was, and the read must end well.
 * Usage: harm-text STOP: says "ready" on stdout, at the end what it did; without
 * STOP it ends after 0.3 s and checks all but the absence of a tracer.  Each
 * thread allocates in a function of its own, text_alloc_0…15.
 * Build: -pthread.  Run: attached, cycle after cycle; exit status 0. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include "expect.h"

#define THREADS 16
#define HELD 8

static int stop, pipe_fd[2];
static long long allocs[THREADS];

#define ALLOC(i)                                                        \
	__attribute__((noinline)) static void *text_alloc_##i(size_t n) \
	{                                                               \
		void *p = malloc(n);                                    \
									\
		KEEP(p);                                                \
		return p;                                               \
	}
ALLOC(0) ALLOC(1) ALLOC(2) ALLOC(3) ALLOC(4) ALLOC(5) ALLOC(6) ALLOC(7)
ALLOC(8) ALLOC(9) ALLOC(10) ALLOC(11) ALLOC(12) ALLOC(13) ALLOC(14) ALLOC(15)

static void *(*const alloc_of[THREADS])(size_t) = {
	text_alloc_0, text_alloc_1, text_alloc_2, text_alloc_3, text_alloc_4, text_alloc_5,
	text_alloc_6, text_alloc_7, text_alloc_8, text_alloc_9, text_alloc_10, text_alloc_11,
	text_alloc_12, text_alloc_13, text_alloc_14, text_alloc_15,
};

static void *allocate(void *arg)
{
	unsigned me = (unsigned)(size_t)arg;
	unsigned char *held[HELD] = { NULL };
	size_t size[HELD] = { 0 };

	for (unsigned i = 0; !__atomic_load_n(&stop, __ATOMIC_RELAXED); i++) {
		unsigned k = i % HELD;

		for (size_t b = 0; b < size[k]; b++)
			EXPECT_THAT(held[k][b] == (unsigned char)(me + i - HELD));
		free(held[k]);
		size[k] = 16 + (i * 7 + me) % 300;
		held[k] = alloc_of[me](size[k]);
		EXPECT_THAT(held[k]);
		memset(held[k], (int)(me + i), size[k]);
		allocs[me]++;
	}
	for (int k = 0; k < HELD; k++)
		free(held[k]);
	return NULL;
}

static void *blocked_read(void *arg)
{
	char buf[4];

	EXPECT_THAT(read(pipe_fd[0], buf, 4) == 4 && !memcmp(buf, "done", 4));
	return arg;
}

static void no_tracer(void)
{
	DIR *dir = opendir("/proc/self/task");
	char path[300], line[256];
	struct dirent *d;

	EXPECT_THAT(dir);
	while ((d = readdir(dir))) {
		FILE *f;

		if (*d->d_name == '.')
			continue;
		snprintf(path, sizeof path, "/proc/self/task/%s/status", d->d_name);
		f = fopen(path, "r");
		EXPECT_THAT(f);
		while (fgets(line, sizeof line, f))
			if (!strncmp(line, "TracerPid:", 10))
				EXPECT_THAT(!atoi(line + 10));
		fclose(f);
	}
	closedir(dir);
}

static void same_bytes(const char *path, const unsigned char *from, size_t len, off_t offset)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	static unsigned char file[65536];

	EXPECT_THAT(fd >= 0);
	while (len) {
		ssize_t n = pread(fd, file, len < sizeof file ? len : sizeof file, offset);

		if (n <= 0)
			break; /* the last page, behind the file's end */
		for (ssize_t i = 0; i < n; i++)
			if (file[i] != from[i]) {
				dprintf(2, "%s+%#llx: %#x instead of %#x\n", path,
					(long long)offset + i, from[i], file[i]);
				_exit(95);
			}
		from += n;
		offset += n;
		len -= (size_t)n;
	}
	close(fd);
}

static int same_text(void)
{
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long from, to, offset;
	char line[4400], perms[5];
	int n, mappings = 0;

	EXPECT_THAT(f);
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%lx-%lx %4s %lx %*s %*s %n", &from, &to, perms, &offset, &n) < 4)
			continue;
		if (perms[2] != 'x' || line[n] != '/')
			continue;
		same_bytes(line + n, (void *)from, to - from, (off_t)offset);
		mappings++;
	}
	fclose(f);
	return mappings;
}

static void wait_for_stop(const char *file)
{
	struct timespec t = { 0, 10000000 };

	for (int i = 0; file ? access(file, F_OK) != 0 : i < 30; i++)
		nanosleep(&t, NULL);
}

int main(int argc, char **argv)
{
	const char *file = argc > 1 ? argv[1] : NULL;
	pthread_t t[THREADS], reader;
	struct sigaction trap;
	long long sum = 0;

	/* Where there is one slow CPU, 16 threads would leave a tracer little of it. */
	(void)!nice(ROUNDS_OF(0, 19));
	EXPECT_THAT(!pipe(pipe_fd));
	EXPECT_THAT(!pthread_create(&reader, NULL, blocked_read, NULL));
	for (size_t i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, allocate, (void *)i));
	dprintf(1, "ready\n");
	wait_for_stop(file);
	if (file) {
		no_tracer();
		EXPECT_THAT(same_text() >= 2);
	}
	EXPECT_THAT(!sigaction(SIGTRAP, NULL, &trap) && trap.sa_handler == SIG_DFL);
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	EXPECT_THAT(write(pipe_fd[1], "done", 4) == 4);
	pthread_join(reader, NULL);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(t[i], NULL);
		EXPECT_THAT(allocs[i] > 0);
		sum += allocs[i];
	}
	dprintf(1, "allocs %lld\n", sum);
	expect_stack("allocate", "total_blocks", sum);
	expect_stack("allocate", "open_blocks", 0);
	return 0;
}

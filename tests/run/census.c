/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads allocate and keep a ledger, blocks of every kind: small ones, some with
 * an alignment, large ones with mappings of their own; many are released again, so
 * that caches, bins and heaps' ends have some; two threads have ended.  Then all is
 * quiet and the ledger is written to the file `ledger`: address and usable size.
 *
 *   census BLOCKS MODE
 *
 * Then it waits for a line on stdin, releases the first half, and waits for another
 * line.  MODE: `exit`: it exits instead; `quiet`: nothing else; `break`: it uses
 * sbrk(2) too; `blocked`: the break cannot grow, as something is mapped behind it;
 * `fork`: a child of it does the rest, whose other threads are gone. */
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include "expect.h"

#define THREADS 4
#define ENDED 2
#define MAX (100000 + 64)

static void *ledger[MAX];
static size_t used, wanted;
static pthread_barrier_t filled, over;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noinline)) static void *get(unsigned seed)
{
	size_t n = 1 + seed % 700;
	void *p = NULL;

	if (seed % 5000 == 7)
		n = 150000 + seed % 100000;
	else if (seed % 500 == 3)
		n *= 40;
	switch (seed % 9) {
	case 0:
		p = calloc(1, n);
		break;
	case 1:
		p = memalign((size_t)32 << seed % 7, n);
		break;
	case 2:
		EXPECT_THAT(!posix_memalign(&p, 4096, n > 20000 ? n : 8));
		break;
	case 3:
		p = realloc(malloc(n / 2), n);
		break;
	default:
		p = malloc(n);
	}
	EXPECT_THAT(p);
	if (seed & 16) /* what it held before must not look like anything */
		memset(p, 0xff, n > 8 ? 8 : n);
	return p;
}

/* `count` blocks stay, twice as many go. */
static void fill(unsigned seed, size_t count)
{
	void **mine = mmap(NULL, count * sizeof *mine, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	for (size_t i = 0; i < 3 * count; i++) {
		unsigned k = (seed = seed * 1103515245u + 12345u) >> 8;
		size_t at = i < count ? i : k % count;

		free(mine[at]);
		mine[at] = get(k);
	}
	pthread_mutex_lock(&lock);
	EXPECT_THAT(used + count <= MAX);
	memcpy(ledger + used, mine, count * sizeof *mine);
	used += count;
	pthread_mutex_unlock(&lock);
	munmap(mine, count * sizeof *mine);
}

/* Memory of ours amid the heap: what lies in it must not be taken for blocks. */
static void use_break(void)
{
	long *p = sbrk(20000);

	EXPECT_THAT(p != (void *)-1);
	for (size_t i = 0; i < 20000 / sizeof *p; i++)
		p[i] = i % 3 ? 0x21 : (long)i + 1;
}

static void block_break(void)
{
	uintptr_t end = ((uintptr_t)sbrk(0) + 8191) & ~(uintptr_t)4095;

	EXPECT_THAT(mmap((void *)end, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
			 -1, 0) == (void *)end);
}

static void *ends(void *arg)
{
	fill((unsigned)(uintptr_t)arg * 77u + 5, 20);
	return NULL;
}

static void *stays(void *arg)
{
	fill((unsigned)(uintptr_t)arg * 2654435761u + 1, wanted / (THREADS + 1));
	/* Something for the cache, of every size. */
	for (size_t n = 8; n < 1100; n += ROUNDS_OF(16, 128))
		for (int i = 0; i < 9; i++) {
			void *p[9];

			p[i] = malloc(n);
			KEEP(p[i]);
			free(p[i]);
		}
	pthread_barrier_wait(&filled);
	pthread_barrier_wait(&over);
	return NULL;
}

static char *number(char *buf, unsigned long long v, unsigned base)
{
	char *p = buf + 31;

	*p = '\0';
	do {
		*--p = "0123456789abcdef"[v % base];
	} while (v /= base);
	return p;
}

static void write_ledger(void)
{
	int fd = open("ledger", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	char buf[32];

	for (size_t i = 0; i < used; i++) {
		char line[80] = "0x";

		strcat(line, number(buf, expect_address(ledger[i]), 16));
		strcat(line, " ");
		strcat(line, number(buf, malloc_usable_size(ledger[i]), 10));
		strcat(line, "\n");
		EXPECT_THAT(write(fd, line, strlen(line)) == (ssize_t)strlen(line));
	}
	close(fd);
}

/* Goes on in a child, and ends as that does. */
static void go_on_in_child(void)
{
	int status;
	pid_t pid = fork();

	EXPECT_THAT(pid >= 0);
	if (!pid)
		return;
	EXPECT_THAT(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	_exit(WEXITSTATUS(status));
}

static void await_line(void)
{
	char c;

	EXPECT_THAT(read(0, &c, 1) == 1);
}

static void say(const char *what, pid_t pid)
{
	char buf[32], line[64] = "";

	strcat(line, what);
	strcat(line, " ");
	strcat(line, number(buf, (unsigned)pid, 10));
	strcat(line, "\n");
	EXPECT_THAT(write(1, line, strlen(line)) == (ssize_t)strlen(line));
}

static void release_half(void)
{
	for (size_t i = 0; i < used / 2; i++)
		free(ledger[i]);
	expect("before_attach.released", (long long)(used / 2));
	expect("allocs", 0);
	expect("frees", 0);
	expect("unknown_releases", 0);
	expect("error_count", 0);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 2 ? argv[2] : "quiet";
	pthread_t t[THREADS + ENDED];

	wanted = strtoul(argv[1], NULL, 10) / ROUNDS_OF(1, 40);
	pthread_barrier_init(&filled, NULL, THREADS + 1);
	pthread_barrier_init(&over, NULL, THREADS + 1);
	/* Neither sbrk(2) nor a mapping behind the break may come between what
	 * other threads do in the allocator: before there are any, and when they
	 * wait. */
	if (!strcmp(mode, "break")) {
		fill(9, 50);
		use_break();
	}
	if (!strcmp(mode, "blocked"))
		block_break();
	for (int i = 0; i < ENDED; i++)
		EXPECT_THAT(!pthread_create(&t[i], NULL, ends, (void *)(uintptr_t)i));
	for (int i = 0; i < THREADS; i++)
		EXPECT_THAT(!pthread_create(&t[ENDED + i], NULL, stays, (void *)(uintptr_t)i));
	fill(7, wanted / (THREADS + 1) / 2);
	fill(8, wanted / (THREADS + 1) / 2);
	for (int i = 0; i < ENDED; i++)
		pthread_join(t[i], NULL);
	pthread_barrier_wait(&filled);
	if (!strcmp(mode, "break")) {
		use_break();
		fill(10, 10);
	}
	if (!strcmp(mode, "fork"))
		go_on_in_child();
	write_ledger();
	say("ready", getpid());
	if (!strcmp(mode, "exit"))
		_exit(0);
	await_line();
	release_half();
	say("released", getpid());
	await_line();
	if (!strcmp(mode, "fork"))
		_exit(6);
	pthread_barrier_wait(&over);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[ENDED + i], NULL);
	return 6;
}

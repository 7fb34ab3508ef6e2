/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/types.h"
#include "base/vec.h"
#include "ui/background.h"

struct environment { VEC(char *) v; };

/* Is it one of those that are given anew? */
static bool is_given(const char *variable, char *const *given)
{
	size_t name = strcspn(variable, "=") + 1;

	for (; *given; given++)
		if (!strncmp(variable, *given, name))
			return true;
	return false;
}

static void make_environment(struct environment *e, char *const *given)
{
	for (char **v = environ; v && *v; v++)
		if (!is_given(*v, given))
			vec_push(&e->v, *v);
	for (; *given; given++)
		vec_push(&e->v, *given);
	vec_push(&e->v, NULL);
}

static _Noreturn void run(const char *command, char **env, void (*prepare)(void))
{
	char *const words[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	int null = open("/dev/null", O_RDONLY);

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	if (null > STDIN_FILENO)
		close(null);
	if (prepare)
		prepare();
	execve("/bin/sh", words, env);
	_exit(127);
}

/* The child of our child outlives it, and is init's. */
int run_in_background(const char *command, char *const *variables, void (*prepare)(void))
{
	struct environment e = { 0 };
	int status = 0, err = 0;
	pid_t child;

	make_environment(&e, variables);
	child = fork();
	if (!child) {
		child = fork();
		if (!child)
			run(command, e.v.v, prepare);
		_exit(child < 0 ? errno : 0);
	}
	if (child < 0)
		err = -errno;
	while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (child > 0 && WIFEXITED(status))
		err = -WEXITSTATUS(status);
	vec_release(&e.v);
	return err;
}

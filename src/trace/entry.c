/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <signal.h>

#include "arch/host.h"
#include "base/msg.h"
#include "trace/breakpoint.h"
#include "trace/entry.h"

bool entry_awaited(const struct proc *p)
{
	return p->session->hold && p->pid == p->session->launched && p->how == PROC_LAUNCHED &&
	       !p->entry_bp;
}

/* glibc's linker calls _dl_debug_state() before it maps the first library, too. */
static bool is_entry(const struct proc *p, const struct breakpoint *bp)
{
	return bp->roles & BP_START || p->modules.v.n > p->modules_at_exec;
}

bool entry_hold(struct task *t, struct breakpoint *bp)
{
	struct proc *p = t->proc;

	if (!entry_awaited(p) || !is_entry(p, bp))
		return false;
	/* Let go from here it goes on at the instruction itself. */
	host_set_pc(t->tid, &t->regs, bp_code(bp));
	p->entry_bp = bp;
	if (*p->session->opts->hold && !p->session->start_said_ns)
		msg_info("%s (%d) stands at its entry: %s", p->name, p->pid, p->session->opts->hold);
	return true;
}

void entry_let_begin(struct proc *p)
{
	struct task *t = proc_stopped_task(p);
	struct breakpoint *bp = p->entry_bp;

	p->entry_bp = NULL;
	if (bp && t)
		task_continue_over(t, bp);
}

int entry_abandon(struct proc *p)
{
	return kill(p->pid, SIGKILL) ? -errno : 0;
}

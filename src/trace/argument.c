/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/host.h"
#include "trace/argument.h"

taddr_t argument_place(const struct abi *abi, taddr_t sp, unsigned n)
{
	if (n <= abi->nreg_args)
		return 0;
	return sp + abi->stack_arg + (n - 1u - abi->nreg_args) * abi->word;
}

static int write_word(struct task *t, taddr_t at, uint64_t v)
{
	const struct abi *abi = t->proc->abi;
	uint8_t b[8];

	abi_store(abi, b, abi->word, v);
	return proc_write(t->proc, t, at, b, abi->word);
}

int argument_set(struct task *t, unsigned n, uint64_t value)
{
	const struct abi *abi = t->proc->abi;
	taddr_t at = argument_place(abi, regs_sp(&t->regs), n);

	if (at)
		return write_word(t, at, value);
	t->regs.w[abi->reg_arg[n - 1]] = value;
	return host_set_regs(t->tid, &t->regs);
}

void argument_put_back(struct task *t, taddr_t sp, unsigned n, uint64_t set, uint64_t value)
{
	taddr_t at = argument_place(t->proc->abi, sp, n);
	uint64_t now;

	if (at && !proc_read_word(t->proc, at, &now) && now == set)
		write_word(t, at, value);
}

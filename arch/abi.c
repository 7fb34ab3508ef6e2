/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/abi.h"

static const struct abi *const abis[] = {
#ifdef ABI_X86
	&abi_x86_64,
	&abi_i386,
#endif
#ifdef ABI_AARCH64
	&abi_aarch64,
#endif
#ifdef ABI_POWERPC
	&abi_powerpc,
#endif
#ifdef ABI_RISCV
	&abi_riscv64,
#endif
#ifdef ABI_ARM
	&abi_arm,
#endif
};

const struct abi *abi_lookup(unsigned e_machine, unsigned e_class, unsigned e_data)
{
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++)
		if (abis[i]->e_machine == e_machine && abis[i]->e_class == e_class &&
		    abis[i]->e_data == e_data)
			return abis[i];
	return NULL;
}

const struct abi *abi_at(size_t i)
{
	return i < ARRAY_SIZE(abis) ? abis[i] : NULL;
}

const struct displace_fix *displace_fix_at(const struct displaced *d, uint64_t offset)
{
	for (unsigned i = 0; i < d->nfix; i++)
		if (d->fix[i].at == offset)
			return &d->fix[i];
	return NULL;
}

int abi_dwarf_known(const struct abi *abi, uint64_t number)
{
	for (size_t i = 0; i < ABI_MAX_ALIAS && abi->dwarf_alias[i].to; i++) {
		if (abi->dwarf_alias[i].number == number)
			return abi->dwarf_alias[i].to;
		if (abi->dwarf_alias[i].to == number)
			return -1;
	}
	return number < ABI_MAX_DWARF ? (int)number : -1;
}

unsigned abi_dwarf_number(const struct abi *abi, unsigned known)
{
	for (size_t i = 0; i < ABI_MAX_ALIAS && abi->dwarf_alias[i].to; i++)
		if (abi->dwarf_alias[i].to == known)
			return abi->dwarf_alias[i].number;
	return known;
}

int displaced_step(struct displaced *d, taddr_t code)
{
	d->kind = DISPLACE_STEP;
	d->resume = code;
	d->code_len = 0;
	d->nfix = 0;
	return 0;
}

struct displace_fix *displaced_mark(struct displaced *d, enum displace_where where, taddr_t to)
{
	struct displace_fix *fix = &d->fix[d->nfix++];

	*fix = (struct displace_fix){ .at = d->code_len, .where = (uint8_t)where, .to = to };
	return fix;
}

int displaced_goto(struct displaced *d, taddr_t target)
{
	d->kind = DISPLACE_GOTO;
	d->resume = target;
	return 0;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <gv/base.h>

#include "cu_mem_model.h"
#include "ut.h"

const struct cu_vmem_kind cu_vmem_kinds[CU_VMEM_KINDS] = {
        {16, 1, false, false, -1},  {17, 1, false, true, -1},   {18, 2, false, false, -1},
        {19, 2, false, true, -1},   {20, 4, false, false, -1},  {21, 8, false, false, -1},
        {22, 12, false, false, -1}, {23, 16, false, false, -1}, {24, 1, true, false, 0},
        {25, 1, true, false, 1},    {26, 2, true, false, 0},    {27, 2, true, false, 1},
        {28, 4, true, false, -1},   {29, 8, true, false, -1},   {30, 12, true, false, -1},
        {31, 16, true, false, -1},  {32, 1, false, false, 0},   {33, 1, false, false, 1},
        {34, 1, false, true, 0},    {35, 1, false, true, 1},    {36, 2, false, false, 0},
        {37, 2, false, false, 1},
};

static void fill(void *p, size_t bytes)
{
	uint8_t *b = p;

	for (size_t n = 0; n < bytes; n += 4) {
		uint32_t v = (uint32_t)cu_one_random();

		memcpy(b + n, &v, 4);
	}
}

void cu_model_begin(struct cu_model *m, struct cu_words word)
{
	m->o.absent = m->o.read_only = 0;
	m->o.retry = m->o.no_pointers = false;
	cu_one_begin(&m->o, word.w, 2);
	for (unsigned n = 0; n < CU_ONE_PAGES; n++)
		fill(m->o.page[n].byte, 4096);
	fill(m->o.run->lds, CU_ONE_LDS);
	fill(m->o.w->v, MODEL_VGPRS * CU_LANES * 4);
	fill(m->o.w->s, 100 * 4);
	m->exec = cu_one_random() % 3 ? ~0ull : cu_one_random() * 0x9e3779b97f4a7c15ull;
	cu_wr64(&m->o.w->s[CU_EXEC], m->exec);
}

void cu_model_ready(struct cu_model *m)
{
	for (unsigned n = 0; n < CU_ONE_PAGES; n++)
		memcpy(m->mem + n * 4096, cu_one_byte(&m->o, CU_ONE_VA + n * 4096), 4096);
	memcpy(m->lds, m->o.run->lds, CU_ONE_LDS);
	memcpy(m->v, m->o.w->v, sizeof(m->v));
	memcpy(m->s, m->o.w->s, sizeof(m->s));
}

static unsigned compare_vgprs(const struct cu_model *m)
{
	unsigned bad = 0;

	for (unsigned r = 0; r < MODEL_VGPRS; r++)
		for (unsigned l = 0; l < CU_LANES; l++)
			if (m->v[r][l] != m->o.w->v[r][l] && bad++ < 4)
				printf("v%u lane %u: %08x, not %08x\n", r, l, m->o.w->v[r][l],
				       m->v[r][l]);
	return bad;
}

static unsigned compare(struct cu_model *m, const char *when)
{
	unsigned bad = compare_vgprs(m);

	for (unsigned n = 0; n < CU_ONE_BYTES; n++) {
		uint8_t is = *cu_one_byte(&m->o, CU_ONE_VA + n);

		if (is != m->mem[n] && bad++ < 4)
			printf("memory 0x%x: %02x, not %02x\n", n, is, m->mem[n]);
	}
	for (unsigned n = 0; n < CU_ONE_LDS; n++)
		if (m->o.run->lds[n] != m->lds[n] && bad++ < 4)
			printf("lds 0x%x: %02x, not %02x\n", n, m->o.run->lds[n], m->lds[n]);
	for (unsigned n = 0; n < CU_NUM_S; n++)
		if (m->o.w->s[n] != m->s[n] && bad++ < 4)
			printf("s%u: %08x, not %08x\n", n, m->o.w->s[n], m->s[n]);
	if (bad)
		printf("%s: %08x %08x\n", when, m->o.code[1], m->o.code[2]);
	return bad;
}

/* A page after the other is there, each time that something is not. */
static void bring_pages(struct cu_model *m, enum gv_cu_status *status)
{
	while (*status == GV_CU_RETRY && m->o.absent) {
		CU_ASSERT_EQUAL(compare(m, "waiting"), 0);
		m->o.absent &= m->o.absent - 1;
		m->retries++;
		*status = cu_one_run(&m->o);
	}
}

void cu_model_check(struct cu_model *m, unsigned way, void (*expect)(struct cu_model *m))
{
	enum gv_cu_status status;

	m->o.no_pointers = way == MODEL_NO_POINTERS;
	m->o.retry = way == MODEL_RETRY;
	if (way >= MODEL_RETRY)
		m->o.absent =
		        1u << cu_one_random() % CU_ONE_PAGES | 1u << cu_one_random() % CU_ONE_PAGES;
	status = cu_one_run(&m->o);
	bring_pages(m, &status);
	if (way == MODEL_FAULT && status == GV_CU_FAULT) {
		const struct gv_cu_fault *f = gv_cu_fault(m->o.run);

		CU_ASSERT_EQUAL(f->reason, GV_CU_MEMORY_FAULT);
		CU_ASSERT_EQUAL(f->pc, CU_ONE_CODE + 4);
		CU_ASSERT_TRUE(m->o.absent >> (f->va - CU_ONE_VA) / 4096 & 1);
		CU_ASSERT_EQUAL(compare(m, "faulted"), 0);
		m->faults++;
	} else {
		CU_ASSERT_EQUAL(status, GV_CU_DONE);
		expect(m);
		CU_ASSERT_EQUAL(compare(m, "done"), 0);
	}
	cu_one_end(&m->o);
}

static uint64_t sign(uint64_t v, bool wide)
{
	return v ^ (wide ? 1ull << 63 : 1ull << 31); /* signed order as unsigned order */
}

uint64_t cu_model_atomic(const char *name, bool wide, uint64_t old, uint64_t data, uint64_t cmp)
{
	uint64_t mask = wide ? ~0ull : 0xffffffffull, v;

	if (strcmp(name, "swap") == 0)
		v = data;
	else if (strcmp(name, "cmpswap") == 0)
		v = old == cmp ? data : old;
	else if (strcmp(name, "add") == 0)
		v = old + data;
	else if (strcmp(name, "sub") == 0)
		v = old - data;
	else if (strcmp(name, "rsub") == 0)
		v = data - old;
	else if (strcmp(name, "smin") == 0)
		v = sign(data, wide) < sign(old, wide) ? data : old;
	else if (strcmp(name, "smax") == 0)
		v = sign(data, wide) > sign(old, wide) ? data : old;
	else if (strcmp(name, "umin") == 0)
		v = data < old ? data : old;
	else if (strcmp(name, "umax") == 0)
		v = data > old ? data : old;
	else if (strcmp(name, "and") == 0)
		v = old & data;
	else if (strcmp(name, "or") == 0)
		v = old | data;
	else if (strcmp(name, "xor") == 0)
		v = old ^ data;
	else if (strcmp(name, "inc") == 0)
		v = old < data ? old + 1 : 0;
	else if (strcmp(name, "dec") == 0)
		v = old != 0 && old <= data ? old - 1 : data;
	else
		v = 0;
	return v & mask;
}

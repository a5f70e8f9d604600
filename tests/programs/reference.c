/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The x86-64 side of a program: makes its input, runs its kernel with every work item as a
 * coroutine, group after group, and writes to stdout: struct program, input, output. Linked with
 * the program; see program.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "program.h"

enum { MAX_ITEMS = 1024, LANES = 64, STACK_BYTES = 256 << 10 };

extern const struct program program;
void run(const uint *in, uint *out, uint n);

struct item {
	struct reference_item id;
	ucontext_t context;
	char *stack;
	bool live;
	uint barriers, exchanges; /* how many it has reached */
};

static struct item items[MAX_ITEMS], *now;
static uint values[2][MAX_ITEMS]; /* what lanes show each other; the two take turns */
static uint count;
static ucontext_t scheduler;
static const uint *input;
static uint *output, number;

/* Zeroed, and aligned for every vector. */
static void *allocate(size_t bytes)
{
	void *p = NULL;

	if (posix_memalign(&p, 256, bytes + 256))
		abort();
	return memset(p, 0, bytes + 256);
}

/* ---- coroutines --------------------------------------------------------------------- */

struct reference_item *reference_item(void)
{
	return &now->id;
}

static void yield(void)
{
	(void)swapcontext(&now->context, &scheduler);
}

void sync_group(void)
{
	now->barriers++;
	yield();
}

static void body(void)
{
	run(input, output, number);
	now->live = false;
	yield();
}

static struct item *wave_of(const struct item *it)
{
	return &items[(it - items) / LANES * LANES];
}

static uint lanes_of(const struct item *wave)
{
	uint first = (uint)(wave - items);

	return count - first < LANES ? count - first : LANES;
}

static void start(struct item *it)
{
	if (!it->stack)
		it->stack = allocate(STACK_BYTES);
	(void)getcontext(&it->context);
	it->context.uc_stack.ss_sp = it->stack;
	it->context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&it->context, body, 0);
	it->live = true;
	it->barriers = it->exchanges = 0;
}

/* How far the last one is: of the group at barriers, of each wave at exchanges. */
static void find_last(uint *barriers, uint exchanges[MAX_ITEMS / LANES])
{
	*barriers = ~0u;
	memset(exchanges, 0xff, MAX_ITEMS / LANES * sizeof(*exchanges));
	for (uint i = 0; i < count; i++) {
		if (!items[i].live)
			continue;
		if (items[i].barriers < *barriers)
			*barriers = items[i].barriers;
		if (items[i].exchanges < exchanges[i / LANES])
			exchanges[i / LANES] = items[i].exchanges;
	}
}

/* Runs everybody who waits for nobody up to the next place of waiting; false when all are done. */
static bool turn(void)
{
	uint barriers, exchanges[MAX_ITEMS / LANES], ran = 0;

	find_last(&barriers, exchanges);
	if (barriers == ~0u)
		return false;
	for (uint i = 0; i < count; i++) {
		now = &items[i];
		if (!now->live || now->barriers > barriers || now->exchanges > exchanges[i / LANES])
			continue;
		(void)swapcontext(&scheduler, &now->context);
		ran++;
	}
	if (!ran)
		abort(); /* work items wait for each other */
	return true;
}

static void run_group(uint x, uint y, uint z, const uint *size, const uint *grid)
{
	count = 0;
	for (uint i = 0; i < size[0] * size[1] * size[2]; i++) {
		struct item *it = &items[count];

		it->id = (struct reference_item){
		        .id = {i % size[0], i / size[0] % size[1], i / size[0] / size[1]},
		        .group = {x, y, z},
		        .size = {size[0], size[1], size[2]},
		        .lane = count % LANES,
		};
		if (x * size[0] + it->id.id[0] >= grid[0] ||
		    y * size[1] + it->id.id[1] >= grid[1] || z * size[2] + it->id.id[2] >= grid[2])
			continue; /* beyond the grid: a partial group has no such item */
		start(it);
		count++;
	}
	while (turn())
		;
}

/* ---- lanes ---------------------------------------------------------------------------- */

/* Shows @x to the wave; gives what its lanes show, and which lanes there are. */
static const uint *show(uint x, ulong *active)
{
	struct item *wave = wave_of(now);
	uint first = (uint)(wave - items), which = now->exchanges & 1;

	values[which][now - items] = x;
	now->exchanges++;
	yield();
	*active = 0;
	for (uint i = 0; i < lanes_of(wave); i++)
		*active |= (ulong)(wave[i].live || wave[i].exchanges >= now->exchanges) << i;
	return &values[which][first];
}

ulong wave_ballot_of(uint yes)
{
	ulong active, mask = 0;
	const uint *v = show(yes, &active);

	for (uint i = 0; i < LANES; i++)
		mask |= (ulong)((active >> i & 1) && v[i]) << i;
	return mask;
}

uint wave_shuffle(uint x, uint lane)
{
	ulong active;
	const uint *v = show(x, &active);

	return active >> (lane & 63) & 1 ? v[lane & 63] : 0;
}

uint wave_first(uint x)
{
	ulong active;
	const uint *v = show(x, &active);

	return v[__builtin_ctzl(active)];
}

uint wave_read(uint x, uint lane)
{
	ulong active;

	return show(x, &active)[lane];
}

/* Vega ISA, "Data Parallel Processing": lane that @lane reads, -1 for none. */
static int dpp_source(uint ctrl, uint lane)
{
	uint row = lane & ~15u, in_row = lane & 15, by = ctrl & 15;

	if (ctrl < 0x100)
		return (int)((lane & ~3u) | (ctrl >> 2 * (lane & 3) & 3));
	if (ctrl <= 0x10f)
		return in_row + by < 16 ? (int)(lane + by) : -1;
	if (ctrl <= 0x11f)
		return in_row >= by ? (int)(lane - by) : -1;
	if (ctrl <= 0x12f)
		return (int)(row + ((in_row + 16 - by) & 15));
	switch (ctrl) {
	case 0x130: /* wave_shl:1 */
		return lane < 63 ? (int)lane + 1 : -1;
	case 0x134: /* wave_rol:1 */
		return (int)((lane + 1) & 63);
	case 0x138: /* wave_shr:1 */
		return (int)lane - 1;
	case 0x13c: /* wave_ror:1 */
		return (int)((lane + 63) & 63);
	case 0x140: /* row_mirror */
		return (int)(lane ^ 15);
	case 0x141: /* row_half_mirror */
		return (int)(lane ^ 7);
	case 0x142: /* row_bcast:15 */
		return row ? (int)row - 1 : -1;
	case 0x143: /* row_bcast:31 */
		return lane >= 32 ? 31 : -1;
	default:
		abort();
	}
}

uint wave_dpp(uint old, uint x, uint ctrl, uint rows, uint banks, uint zero)
{
	uint lane = now->id.lane;
	int from = dpp_source(ctrl, lane);
	ulong active;
	const uint *v = show(x, &active);

	if (!(rows >> lane / 16 & 1) || !(banks >> lane / 4 % 4 & 1))
		return old;
	if (from >= 0 && active >> from & 1)
		return v[from];
	return zero ? 0 : old;
}

/* Vega ISA, DS_SWIZZLE_B32: quad permutation, or and/or/xor masks in 32 lanes. */
uint wave_swizzle(uint x, uint pattern)
{
	uint lane = now->id.lane, in = lane & 31, from;
	ulong active;
	const uint *v = show(x, &active);

	if (pattern & 0x8000)
		from = (lane & ~3u) | (pattern >> 2 * (lane & 3) & 3);
	else
		from = (lane & 32) |
		       (((in & (pattern & 31)) | (pattern >> 5 & 31)) ^ (pattern >> 10 & 31));
	return active >> from & 1 ? v[from] : 0;
}

/* ---- input ----------------------------------------------------------------------------- */

static ulong state = 0x9e3779b97f4a7c15ul;

static ulong random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dul;
}

static const uint edges32[] = {
        0,          1,          2,          3,          0xffffffff, 0xfffffffe, 0x80000000,
        0x80000001, 0x7fffffff, 0x7ffffffe, 0xffff,     0x10000,    0x8000,     0x7fff,
        0xff,       0x80,       0x7f,       0x55555555, 0xaaaaaaaa, 31,         32,
        33,         63,         64,         0xffffff,   0x1000000,  0xff800000, 0x7f800000,
};
static const uint edge_floats[] = {
        0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x00000001, 0x80000001, 0x007fffff,
        0x807fffff, 0x00800000, 0x80800000, 0x7f7fffff, 0xff7fffff, 0x7f800000, 0xff800000,
        0x7fc00000, 0x3f7fffff, 0x3f800001, 0x4b000000, 0x4b800000, 0x4f000000, 0xcf000000,
        0x4f800000, 0x5f000000, 0x3f000000, 0xbf000000, 0x3effffff, 0x3fc00000, 0x40200000,
};
static const ulong edge_doubles[] = {
        0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
        0x0000000000000001, 0x8000000000000001, 0x000fffffffffffff, 0x0010000000000000,
        0x7fefffffffffffff, 0xffefffffffffffff, 0x7ff0000000000000, 0xfff0000000000000,
        0x7ff8000000000000, 0x3fefffffffffffff, 0x3ff0000000000001, 0x4330000000000000,
        0x41e0000000000000, 0xc1e0000000000000, 0x43e0000000000000, 0x43f0000000000000,
        0x3810000000000000, 0x380fffffffffffff, 0x47efffffffffffff, 0x3690000000000000,
};

#define PICK(list, i) ((list)[(i) % (sizeof(list) / sizeof(*(list)))])

/* Any bits, or a number near 1, or an edge case. */
static uint some_float(uint i)
{
	ulong r = random64();

	if (i < 2 * sizeof(edge_floats) / 4 || (r & 7) == 0)
		return PICK(edge_floats, i < 64 ? i : (uint)(r >> 8));
	if ((r & 7) < 4)
		return (uint)(r >> 9 & 0x80ffffff) | 0x3f000000;
	r = (r >> 16) & 0xffffffff;
	return (r & 0x7f800000) == 0x7f800000 ? 0x40490fdb : (uint)r;
}

static ulong some_double(uint i)
{
	ulong r = random64(), bits = random64();

	if (i < 2 * sizeof(edge_doubles) / 8 || (r & 7) == 0)
		return PICK(edge_doubles, i < 64 ? i : (uint)(r >> 8));
	if ((r & 7) < 4)
		return (bits & 0x801ffffffffffffful) | 0x3fe0000000000000ul;
	return (bits >> 52 & 0x7ff) == 0x7ff ? 0x400921fb54442d18ul : bits;
}

static void fill_text(char *text, size_t bytes)
{
	static const char *const pieces[] = {
	        "the ",
	        "GPU ",
	        "wave",
	        " = ",
	        "12",
	        "-7.5e3",
	        "\"str\\\"ing\"",
	        "{",
	        "}",
	        "[",
	        "]",
	        ",",
	        ":",
	        "true",
	        "null",
	        "\n",
	        "abcabc",
	        "aab",
	        "x*y+1",
	        "\xc3\xa9",
	        "\xe2\x82\xac",
	        "\xf0\x9f\x98\x80",
	        " ",
	        "zzzzzzz",
	};

	for (size_t at = 0; at < bytes;) {
		const char *p = PICK(pieces, random64() >> 20);
		size_t n = strlen(p);

		n = n < bytes - at ? n : bytes - at;
		memcpy(text + at, p, n);
		at += n;
	}
}

static uint fill_word(enum program_fill fill, uint i)
{
	float f;
	uint u;

	switch (fill) {
	case FILL_FLOAT:
		return some_float(i);
	case FILL_UNIT:
		f = (float)((int)(random64() >> 40) - (1 << 23)) / (float)(1 << 23);
		memcpy(&u, &f, 4);
		return u;
	case FILL_SMALL:
		return (uint)(random64() >> 20) % 1000;
	case FILL_HALF:
		return (uint)(random64() >> 16);
	default:
		return i < 64 ? PICK(edges32, i) : (uint)(random64() >> 16);
	}
}

static void fill(uint *words, const struct program *p)
{
	if (p->fill == FILL_TEXT)
		fill_text((char *)words, p->in * 4ul);
	for (uint i = 0; p->fill == FILL_DOUBLE && i < p->in / 2; i++) {
		ulong d = some_double(i);

		memcpy(words + 2 * i, &d, 8);
	}
	for (uint i = 0; p->fill != FILL_TEXT && p->fill != FILL_DOUBLE && i < p->in; i++)
		words[i] = fill_word(p->fill, i);
}

int main(void)
{
	struct program p = program;
	uint *in = allocate(p.in * 4ul), groups[3];

	output = allocate(p.out * 4ul);
	for (int d = 0; d < 3; d++) {
		p.grid[d] = p.grid[d] ? p.grid[d] : 1;
		p.block[d] = p.block[d] ? p.block[d] : 1;
		groups[d] = (p.grid[d] + p.block[d] - 1) / p.block[d];
	}
	p.n = p.n ? p.n : p.grid[0] * p.grid[1] * p.grid[2];
	if (p.block[0] * p.block[1] * p.block[2] > MAX_ITEMS)
		abort();
	fill(in, &p);
	input = in;
	number = p.n;
	(void)fwrite(&p, sizeof(p), 1, stdout);
	(void)fwrite(in, 4, p.in, stdout);
	for (uint z = 0; z < groups[2]; z++)
		for (uint y = 0; y < groups[1]; y++)
			for (uint x = 0; x < groups[0]; x++)
				run_group(x, y, z, p.block, p.grid);
	(void)fwrite(output, 4, p.out, stdout);
	return fflush(stdout) != 0;
}
